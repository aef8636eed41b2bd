"""Options of the tree's own, on messages and fields."""

from .api import user_pb2
from .api.opts import options_pb2

assert user_pb2.User(name="n").name == "n"
assert options_pb2.Rule(pattern="x").pattern == "x"
assert options_pb2.title.number == 50001
