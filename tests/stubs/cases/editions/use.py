"""Edition 2023 beside proto2, with groups and extensions."""

from .api.ed import new_pb2, old_pb2

old = old_pb2.Old()
assert old.n == 7 and not old.HasField("n")
old.item.add(text="x")
old.Extensions[old_pb2.note] = "noted"
old.Extensions[old_pb2.Scope.inner].n = 3
new = new_pb2.New(required="r", old=old, expanded=[1, 2])
assert not new.HasField("name") and new.closed == new_pb2.New.ONE
again = new_pb2.New.FromString(new.SerializeToString())
assert again == new and again.old.Extensions[old_pb2.note] == "noted"
assert again.old.Extensions[old_pb2.Scope.inner].n == 3 and again.old.item[0].text == "x"
