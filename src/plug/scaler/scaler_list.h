/* plug/scaler/scaler_list.h - the scalers there are; plug/list.c puts them in order. */
#ifndef PLUG_SCALER_LIST_H
#define PLUG_SCALER_LIST_H

#include "run/scaler.h"

extern const struct scaler scaler_null;       /* changes nothing */
extern const struct scaler scaler_process;    /* instances of a command on this machine */
extern const struct scaler scaler_command;    /* the user's own scripts */
extern const struct scaler scaler_cgroup;     /* limits of a control group */
extern const struct scaler scaler_haproxy;    /* servers of a balancer */
extern const struct scaler scaler_docker;     /* limits of containers, replicas of a service */
extern const struct scaler scaler_kubernetes; /* replicas and resources of a workload */
extern const struct scaler scaler_systemd;    /* limits of a unit */
extern const struct scaler scaler_env;        /* a server's own knobs, by restarting it */

#endif
