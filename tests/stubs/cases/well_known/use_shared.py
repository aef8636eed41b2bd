"""In the default pool the well-known types are those of google.protobuf itself."""

from google.protobuf import descriptor_pool, struct_pb2

from .api import known_pb2

struct = struct_pb2.Struct()
struct["a"] = 1
known = known_pb2.Known(struct=struct)
assert isinstance(known.struct, struct_pb2.Struct)
assert descriptor_pool.Default().FindFileByName("known.proto") is known_pb2.DESCRIPTOR
