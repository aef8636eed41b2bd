"""The names under which the server's services are known."""

from __future__ import annotations

from ...contract import plugin_service_pb2 as pb

OWN_PACKAGE = pb.DESCRIPTOR.package
# Gateway 1.0.0 calls the same messages and methods by this package; later ones by that of the contract.
OLD_PACKAGE = "mcpgateway.plugins"
PACKAGES = (OWN_PACKAGE, OLD_PACKAGE)

# Those that every gRPC tool knows. Their own modules would say it too, and take a tenth of a start to import.
HEALTH = "grpc.health.v1.Health"
REFLECTION = "grpc.reflection.v1alpha.ServerReflection"

SERVICES = (
    *(f"{package}.{name}" for package in PACKAGES for name in pb.DESCRIPTOR.services_by_name),
    HEALTH,
    REFLECTION,
)
"""All services: the contract's under both packages, and the standard ones."""
