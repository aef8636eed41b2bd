"""A collector of OpenTelemetry traces: takes OTLP over HTTP, as real ones do."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.waiting import wait_until


@dataclass
class Collector:
    """What came in.

    Attributes:
        url: where it listens.
        bodies: the bodies of the requests.
        resources: what the spans' senders say about themselves.
        spans: the spans by name, in the order in which they came.
    """

    url: str
    bodies: list[bytes] = field(default_factory=list)
    resources: list[dict[str, str]] = field(default_factory=list)
    spans: dict[str, list[Span]] = field(default_factory=dict)

    def take(self, body: bytes) -> None:
        """Take a request."""
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(attributes(of_resource.resource))
            for of_scope in of_resource.scope_spans:
                for span in of_scope.spans:
                    self.spans.setdefault(span.name, []).append(span)
        self.bodies.append(body)

    def wait(self, name: str, count: int = 1) -> list[Span]:
        """The spans with a name, when there are so many."""
        wait_until(lambda: len(self.spans.get(name, ())) >= count)
        assert len(self.spans[name]) == count
        return self.spans[name]


def attributes(of: Any) -> dict[str, str]:
    """The attributes of a span or a resource whose values are text."""
    return {item.key: item.value.string_value for item in of.attributes}


@contextmanager
def collect() -> Iterator[Collector]:
    """Run a collector."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == "/v1/traces"
            collector.take(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield collector
        server.shutdown()
        thread.join()
