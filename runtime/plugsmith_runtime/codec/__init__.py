"""Between bytes and calls: one module for each wire format, shared by the transports that speak it."""
