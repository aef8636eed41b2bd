"""HTTP/1.1: an ASGI 3 server on httptools with limits of size and time, checks of requests, and a client."""
