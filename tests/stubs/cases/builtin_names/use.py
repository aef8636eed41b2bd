"""Messages, fields, enums and services named like Python's builtins."""

from .api import names_pb2, names_pb2_grpc

number = names_pb2.int(value=3)
text = names_pb2.str(value=number, list=[names_pb2.str()])
text.dict["x"].str = "y"
kind = names_pb2.type(property=text, float=1.5)
kind.object.property.value.value = 4
assert names_pb2.type.FromString(kind.SerializeToString()) == kind
error = names_pb2.Exception(tuple=names_pb2.Exception.input)
assert error.tuple == names_pb2.Exception.list.Value("input")
assert names_pb2_grpc.objectStub is not None
