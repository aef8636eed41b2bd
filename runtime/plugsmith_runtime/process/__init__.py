"""Child processes, and servers of several workers: a supervisor starts them and holds their sockets."""
