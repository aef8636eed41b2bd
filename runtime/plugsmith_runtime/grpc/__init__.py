"""gRPC on our own HTTP/2: calls, messages, statuses, the server's connections."""
