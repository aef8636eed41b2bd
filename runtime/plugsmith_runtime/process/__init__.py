"""Several processes that serve as one: a supervisor, which starts them and holds the sockets, and its workers."""
