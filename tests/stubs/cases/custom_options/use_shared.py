"""In the default pool, descriptors give the options directly."""

from .api import user_pb2
from .api.opts import options_pb2

assert user_pb2.User.DESCRIPTOR.GetOptions().Extensions[options_pb2.title] == "A user"
