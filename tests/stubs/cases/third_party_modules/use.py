"""Messages of an installed package that ships only its modules (grpcio-health-checking)."""

from .api.watch.watch_pb2 import Watched

watched = Watched(name="n")
watched.health.status = watched.health.SERVING
assert Watched.FromString(watched.SerializeToString()) == watched
