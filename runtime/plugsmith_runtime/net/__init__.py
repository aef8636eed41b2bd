"""Sockets, connections and their limits: what every server and client stands on."""
