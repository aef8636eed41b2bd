"""Certificates for TLS between gateways and plugins: issued, renewed and checked. Needs the extra `certs`."""
