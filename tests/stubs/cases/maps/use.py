"""Maps with scalar, message and enum values of another file."""

from .api.m import maps_pb2, values_pb2

maps = maps_pb2.Maps(numbers={"a": 1}, values={2: values_pb2.Value(text="b")}, kinds={True: values_pb2.KIND_GOOD})
maps.values[3].text = "c"
maps.blobs["x"] = b"\x00"
again = maps_pb2.Maps.FromString(maps.SerializeToString())
assert again == maps and sorted(again.values) == [2, 3] and again.kinds[True] == values_pb2.KIND_GOOD
assert dict(again.numbers) == {"a": 1}
