"""Export of OpenTelemetry's spans: the SDK reads its variables OTEL_*, what they leave open is decided here."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from typing import Any

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

from ..errors import StartError

_PROTOCOLS = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}


def make_provider(service_name: str) -> Any:
    """Make the SDK's tracer provider.

    Args:
        service_name: what the spans are of, unless OTEL_SERVICE_NAME says otherwise.

    Raises:
        StartError: an exporter is asked for that is not installed.
    """
    # Whoever stops the server stops it, within the server's grace.
    provider: Any = TracerProvider(resource=_resource(service_name), shutdown_on_exit=False)
    for processor in _processors():
        provider.add_span_processor(processor)
    return provider


def _resource(service_name: str) -> Any:
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "unknown_service")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: service_name}))
    return resource


def _processors() -> list[Any]:
    """The span processors, as OTEL_TRACES_EXPORTER and OTEL_EXPORTER_OTLP_PROTOCOL say."""
    processors: list[Any] = []
    for name in (part.strip() for part in os.environ.get("OTEL_TRACES_EXPORTER", "otlp").split(",")):
        if name == "console":
            # Standard output belongs to protocols.
            processors.append(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr)))
        elif name not in ("", "none"):
            processors.append(BatchSpanProcessor(_exporter(name)))
    return processors


def _exporter(name: str) -> Any:
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    wanted = _PROTOCOLS.get(protocol or "http/protobuf", protocol) if name == "otlp" else name
    for found in entry_points(group="opentelemetry_traces_exporter", name=str(wanted)):
        try:
            return found.load()()
        except ImportError as error:
            raise StartError(f"OTEL_TRACES_EXPORTER: {name} cannot be loaded: {error}") from error
    raise StartError(
        f"OTEL_TRACES_EXPORTER: no package is installed for {wanted!r}; install the extra 'otel' for otlp over "
        "http/protobuf, opentelemetry-exporter-otlp-proto-grpc for grpc"
    )
