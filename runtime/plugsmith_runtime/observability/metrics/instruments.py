"""The metrics themselves. Their names and labels are the same on every transport and with any number of workers."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.exposition import choose_encoder

from ...contract import hooks
from ..events import CallRecord
from .shared_files import SharedFiles
from .state import State

# Seconds. A filter takes less than a millisecond, one that asks a model takes seconds, and the gateway waits for 30.
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

# Parts of it that have no types, in some of its releases.
_client: Any = prometheus_client
_values: Any = values

_CALL = ("plugin", "hook", "transport")


class _OfCall(NamedTuple):
    """What a call with certain labels is added to."""

    calls: Callable[[float], None]
    seconds: Callable[[float], None]
    request: Callable[[float], None]
    response: Callable[[float], None]


class Instruments:
    """All metrics of one process, in a registry of their own.

    Args:
        package: the plugin's package.
        worker: the number of this worker; its values outlive it. None for the number of the process.
    """

    def __init__(self, package: str, worker: int | None = None) -> None:
        self._folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if self._folder and worker is not None:
            # A worker that is started again goes on in the files of the one before: no file for each that ever died.
            _values.ValueClass = _values.MultiProcessValue(process_identifier=lambda: worker)
        _client.disable_created_metrics()
        self._registry = own = CollectorRegistry()
        self._calls = Counter("plugin_calls", "Hook calls that are over.", (*_CALL, "outcome"), registry=own)
        self._seconds = Histogram(
            "plugin_call_duration_seconds", "Time from reading a call to having its answer.", _CALL, registry=own,
            buckets=_BUCKETS,
        )  # fmt: skip
        self._requests = Counter("plugin_request_bytes", "Size of the requests of calls.", _CALL, registry=own)
        self._responses = Counter("plugin_response_bytes", "Size of the answers to calls.", _CALL, registry=own)
        self._running = _gauge("plugin_calls_in_flight", "Hooks that are running.", ["plugin"], own, "livesum")
        self._connections = _gauge("plugin_connections", "Open connections.", ["transport"], own, "livesum")
        self._serving = _gauge(
            "plugin_serving",
            "1 when the plugin can do its work, 0 when not, in any worker.",
            ["plugin"],
            own,
            "livemin",
        )
        self._expiries = _gauge(
            "plugin_certificate_expiry_timestamp_seconds", "Unix time at which the served certificate expires.",
            ["transport"], own, "livemin",
        )  # fmt: skip
        info = _build_info(package)
        build = _gauge("plugin_build_info", "Always 1; its labels say what runs here.", list(info), own, "livemax")
        build.labels(**info).set(1)
        self._of_calls: dict[tuple[str, str, str, str], _OfCall] = {}

    def count(self, records: Iterable[CallRecord]) -> None:
        """Count calls."""
        alike: dict[tuple[str, str, str, str], list[CallRecord]] = {}
        for record in records:
            alike.setdefault((record.plugin, record.hook, record.transport, record.outcome), []).append(record)
        for key, calls in alike.items():
            found = self._of_calls.get(key)
            if found is None:
                found = self._of_calls[key] = self._bind(*key)
            found.calls(len(calls))
            for record in calls:
                found.seconds(record.seconds)
            found.request(sum(record.request_bytes for record in calls))
            found.response(sum(record.response_bytes for record in calls))

    def show(self, state: State) -> None:
        """Set what is not counted but measured."""
        for gauge, numbers in (
            (self._running, state.running),
            (self._connections, state.connections),
            (self._serving, state.serving),
            (self._expiries, state.expiries),
        ):
            for label, number in numbers.items():
                gauge.labels(label).set(number)

    def text(self, accept: str) -> tuple[str, bytes]:
        """Write the metrics, those of all workers and of the plugins themselves included.

        Args:
            accept: the Accept header, which may ask for OpenMetrics.

        Returns:
            The content type and the text.
        """
        encode, content_type = choose_encoder(accept)
        if self._folder:
            shown = CollectorRegistry()
            shown.register(SharedFiles(self._folder))
        else:
            shown = CollectorRegistry()
            shown.register(self._registry)
            shown.register(prometheus_client.REGISTRY)
        return content_type, encode(shown)

    def _bind(self, plugin: str, hook: str, transport: str, outcome: str) -> _OfCall:
        labels = (plugin, hook, transport)
        return _OfCall(
            self._calls.labels(*labels, str(outcome)).inc,
            self._seconds.labels(*labels).observe,
            self._requests.labels(*labels).inc,
            self._responses.labels(*labels).inc,
        )


def _gauge(name: str, text: str, labels: list[str], registry: CollectorRegistry, of_workers: Any) -> Gauge:
    return Gauge(name, text, labels, registry=registry, multiprocess_mode=of_workers)


def _build_info(package: str) -> dict[str, str]:
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        version = "unknown"
    contract = hashlib.sha256(Path(hooks.__file__).read_bytes()).hexdigest()[:12]
    return {"package": package, "version": version, "python": platform.python_version(), "contract": contract}
