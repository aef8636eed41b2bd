"""gRPC over the runtime's own HTTP/2; it needs no grpcio.

To serve: `server` (Server, ServerOptions), `service` (Service and the four kinds of method), `health`, `reflection`.
To call: `channel` (Channel), `channel_connection` (ChannelOptions), `reflection_client` (ReflectionClient).
Both: `status` (StatusCode, StatusError), `wire` (Metadata).
"""
