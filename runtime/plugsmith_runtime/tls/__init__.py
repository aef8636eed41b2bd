"""TLS of the network transports: settings, checks at start, contexts that follow renewed files, the client's names."""
