"""A facade at the root re-exports the names of the file that it imports publicly."""

from .api import base_pb2, facade_pb2, user_pb2

assert facade_pb2.Base is base_pb2.Base
assert facade_pb2.COLOR_RED == base_pb2.COLOR_RED
user = user_pb2.User(base=facade_pb2.Base(name="n"), color=facade_pb2.COLOR_RED)
user.facade.base.name = "m"
assert user_pb2.User.FromString(user.SerializeToString()) == user
