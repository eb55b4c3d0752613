/* plug/probe/probe_list.h - the probes, for plug/list.c. */
#ifndef PLUG_PROBE_LIST_H
#define PLUG_PROBE_LIST_H

#include "watch/probe.h"

extern const struct probe probe_cpu, probe_memory, probe_disk, probe_network, probe_host;
extern const struct probe probe_prometheus, probe_http, probe_gpu;
extern const struct probe probe_process, probe_cgroup;
extern const struct probe probe_docker, probe_kubernetes;
extern const struct probe probe_null;

#endif
