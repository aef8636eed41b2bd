"""Fields with the names that constructors give to the message itself."""

from .api import selves_pb2

one = selves_pb2.One(self_="b", self__="c")
one.self = "a"
assert (one.self, one.self_, one.self__) == ("a", "b", "c")
two = selves_pb2.Two(cls=1)
two.self = "a"
assert (two.self, two.cls) == ("a", 1)
