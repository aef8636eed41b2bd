"""Everything through which a server is seen from outside: log, metrics, traces and the admin listener."""

from __future__ import annotations

import os

from ..host.host import Host
from ..net.listeners import SocketProvider
from ..observability.call_log import CallLog
from .settings import ServerSettings


class Observation:
    """Observes a server, as its settings ask for.

    Args:
        host: the host, not yet started.
        settings: what is observed.
        listeners: opens the socket of the admin listener.

    Raises:
        StartError: traces are asked for, and their packages are not installed.
    """

    def __init__(self, host: Host, settings: ServerSettings, listeners: SocketProvider) -> None:
        self._metrics = self._tracing = self._admin = None
        if settings.log_calls != "none":
            host.observers.append(CallLog(settings.log_calls))
        if settings.metrics:
            from ..observability.metrics import Metrics

            number = os.environ.get("PLUGINS_WORKER")
            self._metrics = Metrics(host, settings, int(number) if number else None)
        if settings.otel:
            from ..observability.tracing import Tracing

            self._tracing = host.tracer = Tracing(settings.package)
        if settings.admin is not None:
            from .admin import AdminListener

            self._admin = AdminListener(host, settings.admin, settings.limits, listeners)

    async def start(self) -> dict[str, list[str]]:
        """Begin before the plugins are started, so that probes find out how that goes.

        Returns:
            The URL of the admin listener, if there is one, under the name "admin".

        Raises:
            StartError: its address cannot be listened on.
        """
        return {"admin": [await self._admin.start()]} if self._admin else {}

    def serving(self) -> None:
        """The transports listen: say so, and do now what must not delay that."""
        if self._admin:
            self._admin.serving()
        if self._metrics:
            self._metrics.start()

    async def stop(self, grace: float) -> None:
        """End after the last call.

        Args:
            grace: seconds that traces get to leave.
        """
        if self._admin:
            await self._admin.stop()
        if self._metrics:
            self._metrics.stop()
        if self._tracing:
            await self._tracing.stop(grace)
