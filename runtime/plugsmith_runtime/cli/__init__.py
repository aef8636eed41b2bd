"""Command lines: the registry of commands, their errors and exit codes, and what they share at a terminal."""
