"""Presence of proto3 optional fields."""

from .api.opt_pb2 import Opt

empty = Opt()
assert not empty.HasField("name") and not empty.HasField("n") and not empty.HasField("self")
zero = Opt(name="", n=0)
assert zero.HasField("name") and zero.HasField("n")
assert Opt.FromString(zero.SerializeToString()).HasField("n")
zero.ClearField("n")
assert not zero.HasField("n") and zero.plain == ""
