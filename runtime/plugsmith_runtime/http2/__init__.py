"""HTTP/2 (RFC 9113 and 7541), as much of it as gRPC uses: `server` and `client` are the two sides of a connection."""
