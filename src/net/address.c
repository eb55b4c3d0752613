/* Being built. */
typedef int net_address_is_empty;
