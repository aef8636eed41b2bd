"""Subcommands: a module `name` gives `plugsmith name`, with `add_parser(subparsers)` and `run(args) -> int`."""
