"""The names under which the server's services are known."""

from __future__ import annotations

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from ....contract import plugin_service_pb2 as pb

OWN_PACKAGE = pb.DESCRIPTOR.package
# Gateway 1.0.0 calls the same messages and methods by this package; later ones by that of the contract.
OLD_PACKAGE = "mcpgateway.plugins"
PACKAGES = (OWN_PACKAGE, OLD_PACKAGE)

SERVICES = (
    *(f"{package}.{name}" for package in PACKAGES for name in pb.DESCRIPTOR.services_by_name),
    *(
        service.full_name
        for file in (health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR)
        for service in file.services_by_name.values()
    ),
)
"""All services: the contract's under both packages, and those that every gRPC tool knows."""
