"""Fields, messages and enum values named like Python's keywords, reached with getattr."""

from typing import Any

from google.protobuf.message import Message

from .api import words_pb2

fields: dict[str, Any] = {"class": "c", "from": 2, "import": ["i"], "in": "x"}
words = words_pb2.Words(**fields)
assert getattr(words, "class") == "c" and getattr(words, "from") == 2
words.self = True
getattr(words, "True").self = True
assert words.WhichOneof("lambda") == "in"
assert words_pb2.Words.FromString(words.SerializeToString()) == words
holder = words_pb2.Import()
getattr(holder, "def").self = True
Class: type[Message] = getattr(words_pb2, "class")
nothing = getattr(words_pb2, "None")(name="n")
made = Class(**{"pass": nothing, "kind": words_pb2.Kinds.Kind.Value("for")})
assert Class.FromString(made.SerializeToString()) == made
