"""Well-known types as fields, with the helpers that google.protobuf gives them."""

import datetime

from google.protobuf import json_format

from .api import known_pb2, known_pb2_grpc

known = known_pb2.Known()
known.duration.FromTimedelta(datetime.timedelta(seconds=90))
known.time.FromJsonString("2024-02-29T12:00:00Z")
known.mask.FromJsonString("a,bC")
known.struct.update({"a": [1, {"b": None}], "c": True})
known.struct.get_or_create_struct("d")["e"] = "f"
known.list.extend([1, "two", None])
known.value.struct_value["k"] = 1.5
known.text.value = "text"
assert known.struct["c"] is True and "a" in known.struct and len(known.list) == 3
data = json_format.MessageToDict(known)
assert data["struct"] == {"a": [1, {"b": None}], "c": True, "d": {"e": "f"}}, data
assert data["duration"] == "90s" and data["mask"] == "a,bC" and data["text"] == "text"
assert json_format.ParseDict(data, known_pb2.Known()) == known

inner = known_pb2.Known(null=known.null)
inner.text.value = "inner"
known.any.Pack(inner)
taken = known_pb2.Known()
assert known.any.Is(known_pb2.Known.DESCRIPTOR) and known.any.Unpack(taken) and taken == inner
assert known_pb2.Known.FromString(known.SerializeToString()) == known
assert known_pb2_grpc.KnownsStub is not None
