"""A rendered plugin held against cpex's own server runtimes and against the bare floor of each transport."""
