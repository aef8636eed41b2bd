"""Prometheus instruments. Their names and labels are the same on every transport and with any number of workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess, values
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from .calls import CallRecord

# A filter takes less than a millisecond, one that asks a model takes seconds, and the gateway waits for 30.
_DURATION_BUCKETS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

# Parts of it that have no types, in some of its releases.
_client: Any = prometheus_client
_values: Any = values
_multiprocess: Any = multiprocess

_CALL_LABELS = ("plugin", "hook", "transport")


class _CallInstruments(NamedTuple):
    """The instruments of calls with certain labels."""

    calls: Callable[[float], None]
    seconds: Callable[[float], None]
    request: Callable[[float], None]
    response: Callable[[float], None]


class Instruments:
    """All metrics of one process, in a registry of their own.

    Args:
        build_info: what runs here, as labels.
        worker: the number of this worker; its values outlive it. None for the number of the process.
    """

    def __init__(self, build_info: Mapping[str, str], worker: int | None = None) -> None:
        self._folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if self._folder and worker is not None:
            # A worker that is started again goes on in the files of the one before: no file for each that ever died.
            _values.ValueClass = _values.MultiProcessValue(process_identifier=lambda: worker)
        _client.disable_created_metrics()
        self._registry = own = CollectorRegistry()
        self._calls = Counter("plugin_calls", "Hook calls that are over.", (*_CALL_LABELS, "outcome"), registry=own)
        text = "Time from reading a call to having its answer."
        self._seconds = Histogram(
            "plugin_call_duration_seconds", text, _CALL_LABELS, registry=own, buckets=_DURATION_BUCKETS_SECONDS
        )
        self._requests = Counter("plugin_request_bytes", "Size of the requests of calls.", _CALL_LABELS, registry=own)
        self._responses = Counter("plugin_response_bytes", "Size of the answers to calls.", _CALL_LABELS, registry=own)
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
        text = "Always 1; its labels say what runs here."
        build = _gauge("plugin_build_info", text, list(build_info), own, "livemax")
        build.labels(**build_info).set(1)
        self._by_labels: dict[tuple[str, str, str, str], _CallInstruments] = {}

    def count(self, records: Iterable[CallRecord]) -> None:
        """Count calls."""
        alike: dict[tuple[str, str, str, str], list[CallRecord]] = {}
        for record in records:
            alike.setdefault((record.service, record.method, record.transport, record.outcome), []).append(record)
        for key, calls in alike.items():
            found = self._by_labels.get(key)
            if found is None:
                found = self._by_labels[key] = self._bind(*key)
            found.calls(len(calls))
            for record in calls:
                found.seconds(record.seconds)
            found.request(sum(record.request_bytes for record in calls))
            found.response(sum(record.response_bytes for record in calls))

    def measure(self, running: Mapping[str, int], serving: Mapping[str, bool], connections: Mapping[str, int]) -> None:
        """Set the gauges of a server.

        Args:
            running: calls in flight, by plugin.
            serving: whether each plugin can do its work.
            connections: open connections, by transport.
        """
        _set(self._running, running)
        _set(self._serving, serving)
        _set(self._connections, connections)

    def measure_certificates(self, expiries: Mapping[str, float]) -> None:
        """Set when certificates expire.

        Args:
            expiries: Unix times, by transport.
        """
        _set(self._expiries, expiries)

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
            shown.register(cast(Any, MultiprocessCollector(self._folder)))
        else:
            shown = CollectorRegistry()
            shown.register(self._registry)
            shown.register(prometheus_client.REGISTRY)
        return content_type, encode(shown)

    def _bind(self, plugin: str, hook: str, transport: str, outcome: str) -> _CallInstruments:
        labels = (plugin, hook, transport)
        return _CallInstruments(
            self._calls.labels(*labels, str(outcome)).inc,
            self._seconds.labels(*labels).observe,
            self._requests.labels(*labels).inc,
            self._responses.labels(*labels).inc,
        )


class MultiprocessCollector:
    """A collector that adds up the samples of all workers; see prometheus_client.registry.Collector.

    Args:
        folder: where their files are.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        """See Collector."""
        # A worker that has just begun has made a file and not written to it yet, which the library takes for a fault.
        files = [str(path) for path in self._folder.glob("*.db") if _size(path)]
        merged: Iterable[Metric] = _multiprocess.MultiProcessCollector.merge(files, accumulate=True)
        return merged


def _gauge(name: str, text: str, labels: list[str], registry: CollectorRegistry, multiprocess_mode: Any) -> Gauge:
    return Gauge(name, text, labels, registry=registry, multiprocess_mode=multiprocess_mode)


def _set(gauge: Gauge, values: Mapping[str, float]) -> None:
    for label, value in values.items():
        gauge.labels(label).set(value)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
