"""A carriage return ends a line wherever it stands."""

import inspect

from .api import base_pb2, use_pb2, use_pb2_grpc

assert use_pb2.T(b=base_pb2.Base()).HasField("b")
assert inspect.cleandoc(use_pb2_grpc.SServicer.__doc__ or "").strip() == "S serves\nit."
