/* Being built. */
typedef int net_tls_is_empty;
