"""Three files called types.proto, and one message name in two packages."""

from .api import types_pb2, types_pb2_grpc
from .api.a import types_pb2 as a_types
from .api.b import types_pb2 as b_types

both = types_pb2.Both(a=a_types.T(name="x"), b=b_types.T(other=a_types.T(name="y")))
assert types_pb2.Both.FromString(both.SerializeToString()) == both
assert both.a.name == "x" and both.b.other.name == "y"
assert types_pb2_grpc.TypesStub is not None
