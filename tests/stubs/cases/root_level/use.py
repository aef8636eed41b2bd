"""Two files at the root, one importing the other."""

from .api import base_pb2, user_pb2

user = user_pb2.User(base=base_pb2.Base(name="a"))
user.more.add(name="b")
assert user_pb2.User.FromString(user.SerializeToString()) == user
assert isinstance(user.base, base_pb2.Base)
