"""Metrics of the connector in the gateway's own registry, where the gateway has prometheus_client."""

from __future__ import annotations

import importlib
import logging
import sys
from types import ModuleType
from typing import Any

logger = logging.getLogger(__name__)

_SHARED_MODULE = "plugsmith_connector_metrics"
"""Key in `sys.modules` of the module that holds the metrics of all copies of the connector.

The name and what the module holds are an interface between releases: copies of different versions meet in it.
"""

_SECONDS_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class CallMetrics:
    """Counter and histogram of one plugin's calls.

    Args:
        plugin: the name of the entry in the gateway's plugins file.
    """

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._calls = _metric("Counter", "plugin_connector_calls", "Hook calls", ("plugin", "hook", "outcome"))
        self._seconds = _metric(
            "Histogram",
            "plugin_connector_seconds",
            "Seconds until the answer",
            ("plugin", "hook"),
            buckets=_SECONDS_BUCKETS,
        )
        self._counters: dict[tuple[str, str], Any] = {}
        self._timers: dict[str, Any] = {}

    def record(self, hook: str, outcome: str, seconds: float | None = None) -> None:
        """Record a call.

        Args:
            hook: the hook's name.
            outcome: allowed, modified, blocked, error, unavailable or skipped.
            seconds: duration of the call; None when the server was not asked.
        """
        if self._calls is not None:
            counter = self._counters.get((hook, outcome))
            if counter is None:
                counter = self._counters[hook, outcome] = self._calls.labels(self._plugin, hook, outcome)
            counter.inc()
        if self._seconds is not None and seconds is not None:
            timer = self._timers.get(hook)
            if timer is None:
                timer = self._timers[hook] = self._seconds.labels(self._plugin, hook)
            timer.observe(seconds)


class ConnectionMetrics:
    """Gauge of a connection's state, and counter of the times that it was established.

    Args:
        endpoint: where the server is.
    """

    def __init__(self, endpoint: str) -> None:
        up = _metric("Gauge", "plugin_connector_up", "Whether a connection to the server stands", ("endpoint",))
        connects = _metric(
            "Counter", "plugin_connector_connects", "Times that a server was (again) found", ("endpoint",)
        )
        self._up = up.labels(endpoint) if up is not None else None
        self._connects = connects.labels(endpoint) if connects is not None else None
        self.disconnected()

    def connected(self) -> None:
        """Record that the connection is established."""
        if self._up is not None:
            self._up.set(1)
        if self._connects is not None:
            self._connects.inc()

    def disconnected(self) -> None:
        """Record that the connection is lost."""
        if self._up is not None:
            self._up.set(0)


def shared_metrics() -> dict[str, Any]:
    """The metrics of this process by name, those of other copies of the connector among them.

    Rendered repositories may each bring a copy of this package, all in one gateway. prometheus_client refuses a second
    metric of the same name and has no public way to look the first one up, so the copies keep the metrics in one module
    that none of them owns.
    """
    module = sys.modules.setdefault(_SHARED_MODULE, ModuleType(_SHARED_MODULE, "Metrics of the gateway's connectors."))
    metrics: dict[str, Any] = vars(module).setdefault("metrics", {})
    return metrics


def _metric(kind: str, name: str, text: str, labels: tuple[str, ...], **options: Any) -> Any:
    """The metric of a name, made when there is none yet; None when the gateway has no prometheus_client."""
    metrics = shared_metrics()
    if name not in metrics:
        metrics[name] = _register(kind, name, text, labels, options)
    return metrics[name]


def _register(kind: str, name: str, text: str, labels: tuple[str, ...], options: dict[str, Any]) -> Any:
    try:
        library: Any = importlib.import_module("prometheus_client")
    except ModuleNotFoundError:
        return None
    try:
        return getattr(library, kind)(name, text, labels, **options)
    except ValueError as error:
        # The gateway has a metric of this name that is not the connector's.
        logger.warning("no metric %s: %s", name, error)
        return None
