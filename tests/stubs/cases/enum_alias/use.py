"""Enums with two names for a number, at the top and nested."""

from .api import enums_pb2
from .api.enums_pb2 import HIGH, LOW, SMALL, Holder, Level

assert LOW == SMALL and Level.Value("SMALL") == 1 and Level.Name(LOW) in ("LOW", "SMALL")
assert Holder.A == Holder.B == Holder.Inner.Value("B")
holder = Holder(level=Level.HIGH, levels=[LOW, HIGH], inner=Holder.B)
assert Holder.FromString(holder.SerializeToString()) == holder
assert set(enums_pb2.Level.keys()) == {"LEVEL_UNSPECIFIED", "LOW", "SMALL", "HIGH"}
level: Level.ValueType = holder.level
assert level == HIGH
