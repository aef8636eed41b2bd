"""The application that serves a gateway's plugins over HTTP, stdio, gRPC and a Unix socket."""
