"""In the default pool the classes are those of the installed package."""

from grpc_health.v1.health_pb2 import HealthCheckResponse

from .api.watch.watch_pb2 import Watched

watched = Watched(health=HealthCheckResponse(status=HealthCheckResponse.SERVING))
assert isinstance(watched.health, HealthCheckResponse)
