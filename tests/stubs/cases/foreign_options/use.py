"""Options of others that have the numbers of mypy-protobuf's own change no type."""

from .api import orders_pb2

metric = orders_pb2.Metric(speed=1.5, name="n", counts={"a": 1})
speed: float = metric.speed
name: str = metric.name
count: int = metric.counts["a"]
assert orders_pb2.Metric.FromString(metric.SerializeToString()) == metric
