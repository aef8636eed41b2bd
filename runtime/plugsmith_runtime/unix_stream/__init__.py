"""Length-prefixed messages on a Unix socket, in both versions of the protocol."""
