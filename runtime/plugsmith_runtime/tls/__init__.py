"""TLS of servers and clients: settings, checks at start, contexts that follow renewed files, client identities."""
