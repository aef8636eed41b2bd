"""The names under which the contract's services are known."""

from __future__ import annotations

from ....contract import plugin_service_pb2 as pb

OWN_PACKAGE = pb.DESCRIPTOR.package
# Gateway 1.0.0 calls the same messages and methods by this package; later ones by that of the contract.
OLD_PACKAGE = "mcpgateway.plugins"
PACKAGES = (OWN_PACKAGE, OLD_PACKAGE)

SERVICES = tuple(f"{package}.{name}" for package in PACKAGES for name in pb.DESCRIPTOR.services_by_name)
