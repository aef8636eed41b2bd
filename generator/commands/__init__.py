"""Subcommands: a module of each, with `add_parser(subparsers)` and `run(arguments) -> int`; `cli.py` lists them."""
