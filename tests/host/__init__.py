"""The host in place: calls, replies and what is recorded."""
