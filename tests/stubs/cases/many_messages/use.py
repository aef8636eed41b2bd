"""A file of 500 messages."""

from .api import many_pb2

last = many_pb2.M499(name="x", before=many_pb2.M498(name="y"))
last.third["z"].name = "m"
assert many_pb2.M499.FromString(last.SerializeToString()) == last
assert len(many_pb2.DESCRIPTOR.message_types_by_name) == 500
