"""TLS with real handshakes, and the certificates that `certs` makes."""
