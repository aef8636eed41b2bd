"""Classes of well-known types, JSON of Any, pickling and reflection with the private pool."""

import copy
import pickle

from google.protobuf import descriptor_pool, json_format, symbol_database

from .api import known_pb2
from .api._pool import POOL
from .api.google.protobuf import any_pb2, struct_pb2

struct = struct_pb2.Struct()
struct["a"] = {"b": [1, 2]}
known = known_pb2.Known(struct=struct)
known.value.CopyFrom(struct_pb2.Value(struct_value=struct))
assert isinstance(known.struct, struct_pb2.Struct)
assert known.null == struct_pb2.NULL_VALUE
assert pickle.loads(pickle.dumps(known)) == known and copy.deepcopy(known) == known
entry = struct_pb2.Struct.FieldsEntry(key="k", value=struct_pb2.Value(bool_value=True))
again = pickle.loads(pickle.dumps(entry))
assert type(again) is struct_pb2.Struct.FieldsEntry and again == entry

packed = any_pb2.Any()
packed.Pack(struct)
known.any.CopyFrom(packed)
text = json_format.MessageToJson(known, descriptor_pool=POOL)
assert json_format.Parse(text, known_pb2.Known(), descriptor_pool=POOL) == known

assert POOL.FindFileByName("known.proto") is known_pb2.DESCRIPTOR
for name in ("known.proto", "google/protobuf/struct.proto"):
    file = POOL.FindFileByName(name)
    assert file.pool is POOL
try:
    descriptor_pool.Default().FindFileByName("known.proto")
except KeyError:
    pass
else:
    raise AssertionError("the default pool knows the file")
try:
    symbol_database.Default().GetSymbol("known.Known")
except KeyError:
    pass
else:
    raise AssertionError("the default symbol database knows the message")
