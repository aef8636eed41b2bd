"""Comments of services and methods are docstrings, character for character, whatever they hold."""

import inspect
import sys

from .api import desk_pb2_grpc

SERVICE = 'A desk. """ ; raise SystemExit("code of a comment"); """'
METHODS = {
    "Talk": "The paths are full or \\*, the pattern is \\d+, the end is \\",
    "Indented": 'Example:\n\n    curl -d \'{"a": "\\n"}\' localhost\n      --more',
    "Many": 'It ends in many """"\nand goes on \\o/',
    "Block": "detached \\1\n\nA block\nof \\2 lines.",
    "Old": 'Use "Talk" or """Many""" instead; \\d.',
}
for owner in (desk_pb2_grpc.DeskStub, desk_pb2_grpc.DeskServicer):
    assert owner.__doc__ == SERVICE, owner.__doc__
for name, text in METHODS.items():
    found = getattr(desk_pb2_grpc.DeskServicer, name).__doc__
    # Later Pythons take the indentation of docstrings away by themselves.
    assert (found if sys.version_info < (3, 13) else inspect.cleandoc(found)) in (text, inspect.cleandoc(text)), name
# As protoc writes it, which is faithful but for white space around it.
assert (desk_pb2_grpc.DeskServicer.Plain.__doc__ or "").strip() == "Plain text, as most comments are."
assert (desk_pb2_grpc.DeskServicer.Quoted.__doc__ or "").strip() == 'It ends in "quotes"'
