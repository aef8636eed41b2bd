"""Observability of a plugin server: call log, metrics, traces and the admin listener, as the settings ask for."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from .._version import __version__
from ..contract import hooks
from ..host.errors import PLUGIN_FAULTS
from ..observability.calls import CallLog, Observer
from ..process.channel import WORKER_ID_ENV

if TYPE_CHECKING:
    from ..host.host import Host
    from ..host.tracing import HookTracer
    from ..net.sockets import SocketProvider
    from ..observability.metrics import Metrics
    from ..observability.tracing import OtelTracer
    from .admin import AdminListener
    from .settings import ServerSettings

_MCP = {"rpc.system.name": "jsonrpc", "mcp.method.name": "tools/call", "gen_ai.tool.name": "invoke_hook"}
# What OpenTelemetry's semantic conventions have a name for.
_TRANSPORT_ATTRIBUTES = {
    "http": _MCP | {"network.protocol.name": "http"},
    "stdio": _MCP | {"network.transport": "pipe"},
    "grpc": {"rpc.system.name": "grpc", "rpc.method": "PluginService/InvokeHook"},
    "unix": {"network.transport": "unix", "rpc.method": "PluginService/InvokeHook"},
}


class Observability:
    """What observes a server; made before its host, which takes the attributes.

    Args:
        settings: what is observed.

    Attributes:
        observers: the observers of calls: the call log and the metrics.
        metrics: the metrics, when somebody may read them.
        tracer: puts calls into traces, when tracing is on.

    Raises:
        StartError: traces are asked for, and their packages are not installed.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._admin: AdminListener | None = None
        self._host: Host | None = None
        self._spans: OtelTracer | None = None
        self.observers: list[Observer] = []
        self.metrics: Metrics | None = None
        self.tracer: HookTracer | None = None
        if settings.log_calls != "none":
            self.observers.append(CallLog(settings.log_calls, PLUGIN_FAULTS))
        if settings.metrics:
            self.metrics = _metrics(settings)
            self.observers.append(self.metrics)
        if settings.otel:
            from ..host.tracing import HookTracer
            from ..observability.tracing import OtelTracer

            self._spans = OtelTracer(settings.package, "PLUGINS_OTEL_ENABLED", "plugin")
            self.tracer = HookTracer(self._spans, _TRANSPORT_ATTRIBUTES)

    async def start(self, host: Host, listeners: SocketProvider) -> dict[str, list[str]]:
        """Begin before the plugins are started, so that probes find out how that goes.

        Args:
            host: the host that is observed.
            listeners: opens the socket of the admin listener.

        Returns:
            The URL of the admin listener, if there is one, under the name "admin".

        Raises:
            StartError: its address cannot be listened on.
        """
        self._host = host
        if self._settings.admin is None:
            return {}
        from .admin import AdminListener

        self._admin = AdminListener(host, self._settings.admin, self._settings.limits, listeners)
        return {"admin": [await self._admin.start()]}

    def serving(self) -> None:
        """The transports listen: say so, and do now what must not delay that."""
        if self._admin:
            self._admin.serving()
        if self.metrics and self._host:
            self.metrics.start(self._host)

    async def stop(self, grace: float) -> None:
        """End after the last call.

        Args:
            grace: seconds that traces get to leave.
        """
        if self._admin:
            await self._admin.stop()
        if self.metrics:
            self.metrics.stop()
        if self._spans:
            await self._spans.stop(grace)


def _metrics(settings: ServerSettings) -> Metrics:
    from ..observability.metrics import Certificates, Metrics

    served = {"http": settings.http.tls, "grpc": settings.grpc.tls}
    files = {name: tls.certfile for name, tls in served.items() if tls and name in settings.transports}
    worker = os.environ.get(WORKER_ID_ENV)
    return Metrics(lambda: _build_info(settings.package), Certificates(files), int(worker) if worker else None)


def _build_info(package: str) -> dict[str, str]:
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        version = "unknown"
    contract = hashlib.sha256(Path(hooks.__file__).read_bytes()).hexdigest()[:12]
    return {
        "package": package,
        "version": version,
        "runtime": __version__,
        "python": platform.python_version(),
        "contract": contract,
    }
