"""With a private pool, options are read through the package's own options class."""

from .api import user_pb2
from .api.google.protobuf import descriptor_pb2
from .api.opts import options_pb2

message = user_pb2.User.DESCRIPTOR
options = descriptor_pb2.MessageOptions.FromString(message.GetOptions().SerializeToString())
assert options.Extensions[options_pb2.title] == "A user"
field = message.fields_by_name["name"]
rule = descriptor_pb2.FieldOptions.FromString(field.GetOptions().SerializeToString()).Extensions[options_pb2.rule]
assert isinstance(rule, options_pb2.Rule) and rule.pattern == "a+"
