"""Sockets and connections, in place."""
