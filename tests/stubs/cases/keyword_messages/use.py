"""Messages, enums and extensions whose names are keywords: reached with getattr, typed where they can be named."""

from typing import Any

from .api import extensions_pb2, words_pb2

Class: Any = getattr(words_pb2, "class")
made = Class(kind=Class.A, kinds=[Class.A], z=Class.A)
assert Class.FromString(made.SerializeToString()) == made
other = words_pb2.Other(c=made, k=Class.A)
assert other.c.kind == 0
assert words_pb2.Uses(n=words_pb2.N).n == 0
Extended: Any = getattr(extensions_pb2, "class")
base = extensions_pb2.Base()
base.Extensions[getattr(Extended, "import")] = 5
base.Extensions[Extended.fine] = 6
assert extensions_pb2.Base.FromString(base.SerializeToString()) == base
