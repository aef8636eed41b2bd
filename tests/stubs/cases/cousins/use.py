"""Folders beside each other that import one another's files."""

from .api.left import a_pb2, sibling_pb2
from .api.right import b_pb2
from .api.right.inner import c_pb2

a = a_pb2.A(b=b_pb2.B(kind=b_pb2.B.KIND_ONE), sibling=sibling_pb2.Sibling(n=2**60))
a.cs["x"].CopyFrom(c_pb2.C(kind=b_pb2.B.KIND_ONE))
again = a_pb2.A.FromString(a.SerializeToString())
assert again == a and again.cs["x"].kind == b_pb2.B.Kind.Value("KIND_ONE")
