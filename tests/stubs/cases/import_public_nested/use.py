"""Public imports of public imports, across folders."""

from .api.a import facade_pb2, outer_pb2
from .api.a.b import base_pb2
from .api.c import user_pb2, user_pb2_grpc

assert facade_pb2.Base is base_pb2.Base
user = user_pb2.User(base=facade_pb2.Base(name="n"), outer=outer_pb2.Outer(base=base_pb2.Base(name="m")))
assert user_pb2.User.FromString(user.SerializeToString()).outer.base.name == "m"
assert user_pb2_grpc.UsersServicer is not None
