"""Certificates for TLS between gateways and plugins: made, kept fresh and checked. Needs the extra `certs`."""
