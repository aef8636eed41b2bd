"""A server of each transport as a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support import http2
from tests.support.serving import Served
from tests.support.transport_clients import HEAD
from tests.support.unix_v1 import frame
from tests.support.unix_v2 import PREFACE

from . import bytes_of, senders, shapes
from .mutations import bad_inputs

MAX_BYTES = 100_000
_ZEROS = b"\0" * (MAX_BYTES + 1)


@dataclass(frozen=True)
class Target:
    """A server.

    Attributes:
        served: its process.
        scheme: the endpoint that is meant.
        pb: the messages of the contract.
        pb2: those of version 2 of the Unix protocol.
    """

    served: Served
    scheme: str
    pb: Any
    pb2: Any

    def send_bytes(self, count: int, seed: int) -> None:
        """Send bad bytes, half of them on the connection itself, half as messages where the wire is whole."""
        half = count // 2
        match self.scheme:
            case "stdio":
                messages = bytes_of.messages()
                senders.on_stdio(self.served, list(bad_inputs(messages, [_ZEROS, b"[" * 9000], count, seed)))
            case "http":
                too_much = [HEAD + b"Content-Length: 99999999999\r\n\r\n{", HEAD + b"X: " + b"y" * 70_000]
                senders.on_connections(self._place, bad_inputs(bytes_of.http_bytes(), too_much, half, seed))
                bodies = bytes_of.messages()
                senders.on_http(self._place, list(bad_inputs(bodies, [_ZEROS, b"[" * 9000], half, seed)))
            case "grpc":
                too_much = [http2.PREFACE + b"\xff\xff\xff\0\0\0\0\0\1", http2.PREFACE * 2]
                senders.on_connections(self._place, bad_inputs(bytes_of.grpc_bytes(self.pb), too_much, half, seed))
                senders.on_grpc(self._place, bad_inputs(bytes_of.hook_calls(self.pb), [_ZEROS], half, seed))
            case _:
                too_much = [b"\xff\xff\xff\xff", frame(_ZEROS), PREFACE + b"\xff\xff\xff\xff", PREFACE + frame(_ZEROS)]
                samples = bytes_of.unix_bytes(self.pb, self.pb2)
                senders.on_connections(self._place, bad_inputs(samples, too_much, half, seed))
                calls = bytes_of.hook_calls(self.pb)
                senders.on_unix(self._place, bad_inputs(calls, [_ZEROS], half // 2, seed))
                senders.on_stream(self._place, bad_inputs(samples[-2:], [_ZEROS], half - half // 2, seed))

    def send_shapes(self, values: Sequence[Any]) -> None:
        """Send what hypothesis made: `shapes.batches` to JSON, `shapes.hook_batches` to protobuf."""
        match self.scheme:
            case "stdio":
                senders.on_stdio(self.served, list(map(shapes.to_json, values)))
            case "http":
                senders.on_http(self._place, list(map(shapes.to_json, values)))
            case "grpc":
                senders.on_grpc(self._place, [shapes.to_protobuf(value, self.pb) for value in values])
            case _:
                half = len(values) // 2
                senders.on_unix(self._place, [shapes.to_protobuf(value, self.pb) for value in values[:half]])
                senders.on_stream(self._place, [shapes.to_stream(value, 1, self.pb2) for value in values[half:]])

    @property
    def _place(self) -> str:
        return self.served.endpoints[self.scheme]
