"""Files without any definition, one without a byte."""

from .api import empty_pb2
from .api.folder import nothing_pb2, only_imports_pb2

assert empty_pb2.DESCRIPTOR.name == "empty.proto"
assert nothing_pb2.DESCRIPTOR.name == "folder/nothing.proto"
assert [file.name for file in only_imports_pb2.DESCRIPTOR.dependencies] == ["empty.proto"]
