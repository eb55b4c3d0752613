/* Being built. */
typedef int net_wheel_is_empty;
