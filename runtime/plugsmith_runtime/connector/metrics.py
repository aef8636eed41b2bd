"""Figures of the connector in the gateway's own metrics, where the gateway has prometheus_client."""

from __future__ import annotations

import importlib
import logging
from typing import Any

logger = logging.getLogger(__name__)

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_made: dict[str, Any] = {}


class CallMetrics:
    """Counts and times the calls of one plugin.

    Args:
        plugin: the name of the entry in the gateway's plugins file.
    """

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._calls = _metric("Counter", "plugin_connector_calls", "Hook calls", ("plugin", "hook", "outcome"))
        labels = ("plugin", "hook")
        self._seconds = _metric("Histogram", "plugin_connector_seconds", "Seconds until the answer", labels, _BUCKETS)
        self._counters: dict[tuple[str, str], Any] = {}
        self._timers: dict[str, Any] = {}

    def count(self, hook: str, outcome: str, seconds: float | None = None) -> None:
        """Record a call.

        Args:
            hook: the hook.
            outcome: allowed, modified, blocked, error, unavailable or skipped.
            seconds: how long it took; None when nobody was asked.
        """
        if self._calls is None:
            return
        counter = self._counters.get((hook, outcome))
        if counter is None:
            counter = self._counters[hook, outcome] = self._calls.labels(self._plugin, hook, outcome)
        counter.inc()
        if seconds is not None and self._seconds is not None:
            timer = self._timers.get(hook)
            if timer is None:
                timer = self._timers[hook] = self._seconds.labels(self._plugin, hook)
            timer.observe(seconds)


class ConnectionMetrics:
    """Says whether a server is connected.

    Args:
        endpoint: where the server is.
    """

    def __init__(self, endpoint: str) -> None:
        up = _metric("Gauge", "plugin_connector_up", "Whether a connection to the server stands", ("endpoint",))
        made = _metric("Counter", "plugin_connector_connects", "Times that a server was (again) found", ("endpoint",))
        self._up = up.labels(endpoint) if up is not None else None
        self._made = made.labels(endpoint) if made is not None else None
        self.down()

    def up(self) -> None:
        """The server was found."""
        if self._up is not None:
            self._up.set(1)
        if self._made is not None:
            self._made.inc()

    def down(self) -> None:
        """The server is lost."""
        if self._up is not None:
            self._up.set(0)


def _metric(kind: str, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...] = ()) -> Any:
    """Make a metric, or take the one that another plugin's connector has made; None without prometheus_client."""
    if name not in _made:
        _made[name] = _registered(kind, name, text, labels, buckets)
    return _made[name]


def _registered(kind: str, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Any:
    try:
        library: Any = importlib.import_module("prometheus_client")
    except ModuleNotFoundError:
        return None
    options = {"buckets": buckets} if buckets else {}
    # Each rendered package has a connector of its own, and all share the gateway's registry.
    store = library.REGISTRY.__dict__.setdefault("plugin_connector_metrics", {})
    if name not in store:
        try:
            store[name] = getattr(library, kind)(name, text, labels, **options)
        except ValueError as error:
            logger.warning("no metric %s: %s", name, error)
            store[name] = None
    return store[name]
