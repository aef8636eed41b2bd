"""One of several fields."""

from .api.one_pb2 import One

one = One(text="x")
assert one.WhichOneof("kind") == "text"
one.other.yes = True
assert one.WhichOneof("kind") == "other" and not one.HasField("text")
assert One.FromString(one.SerializeToString()).other.yes
one.ClearField("kind")
assert one.WhichOneof("kind") is None
