"""With a private pool the package carries a copy of its own, which lives beside the installed package."""

from grpc_health.v1 import health_pb2 as installed

from .api.grpc_health.v1.health_pb2 import HealthCheckResponse
from .api.watch.watch_pb2 import Watched

watched = Watched(health=HealthCheckResponse(status=HealthCheckResponse.SERVING))
assert not isinstance(watched.health, installed.HealthCheckResponse)
assert installed.HealthCheckResponse.FromString(watched.health.SerializeToString()).status == 1
