"""Comments that are not UTF-8 keep what can be read of them."""

from .api import a_pb2, a_pb2_grpc

assert a_pb2.T(s="é").s == "é"
assert (a_pb2_grpc.SServicer.__doc__ or "").strip() == "S\ufffd"
