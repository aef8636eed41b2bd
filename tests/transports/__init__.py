"""The protobuf transports, byte by byte: the Unix socket and gRPC."""
