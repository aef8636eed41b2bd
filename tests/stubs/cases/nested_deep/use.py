"""Three folders deep, importing from above; no package at the top."""

from .api import top_pb2
from .api.one import upper_pb2
from .api.one.two.three import deep_pb2, deep_pb2_grpc

deep = deep_pb2.Deep(top=top_pb2.Top(name="t"), upper=upper_pb2.Upper(name="u"))
deep.innermost.yes = True
assert deep_pb2.Deep.FromString(deep.SerializeToString()) == deep
assert isinstance(deep.innermost, deep_pb2.Deep.Inner.Innermost)
assert deep_pb2_grpc.DeepsStub is not None
