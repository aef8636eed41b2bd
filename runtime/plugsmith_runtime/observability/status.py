"""Status pages: health (liveness), readiness and metrics of a server, the same wherever HTTP is served."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qs

from .._version import __version__

if TYPE_CHECKING:
    from .metrics import MetricsSource

_JSON = "application/json"
_METRICS = ("/metrics", "/metrics/prometheus")
_PATHS = ("/health", "/ready", *_METRICS)


class StatusPage(NamedTuple):
    """An answer to an HTTP request.

    Attributes:
        status: the HTTP status.
        body: its content.
        content_type: the content's type.
        headers: headers beside those of every answer.
    """

    status: int
    body: bytes
    content_type: str = _JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


class ServingState(Protocol):
    """What the pages tell of a server."""

    @property
    def serving(self) -> bool:
        """Whether the server has started and is not stopping."""

    @property
    def ready(self) -> bool:
        """Whether calls make sense."""

    @property
    def metrics(self) -> MetricsSource | None:
        """Where the metrics are; None when there are none."""

    def plugin_serving(self, name: str) -> bool | None:
        """Whether a plugin can do its work; None when there is no such plugin."""


class StatusPages:
    """The pages of a server.

    Args:
        state: how the server is.
        listening: the attribute's first value.

    Attributes:
        listening: whether the transports take calls; until then nothing is ready.
    """

    def __init__(self, state: ServingState, listening: bool = True) -> None:
        self._state = state
        self.listening = listening

    async def answer(self, scope: Mapping[str, Any]) -> StatusPage | None:
        """Make the page that a request asks for.

        Args:
            scope: the request, as ASGI has it.

        Returns:
            The page; None when the path is none of these.
        """
        path = scope["path"]
        if path not in _PATHS or (path in _METRICS and self._state.metrics is None):
            return None
        if scope["method"] not in ("GET", "HEAD"):
            return StatusPage(405, b'{"error":"%b takes GET"}' % path.encode(), headers=((b"allow", b"GET, HEAD"),))
        if path == "/health":
            return StatusPage(200, b'{"status":"alive","runtime":"%b"}' % __version__.encode())
        if path == "/ready":
            return self._ready(scope["query_string"])
        return await self._metrics(scope["headers"])

    def _ready(self, query: bytes) -> StatusPage:
        names = parse_qs(query.decode("latin-1")).get("plugin")
        ready = self._state.plugin_serving(names[0]) if names else self._state.ready
        if ready and self.listening:
            return StatusPage(200, b'{"status":"ready"}')
        if ready is None and self._state.serving:
            return StatusPage(404, b'{"status":"unknown plugin"}')
        return StatusPage(503, b'{"status":"not ready"}')

    async def _metrics(self, headers: list[tuple[bytes, bytes]]) -> StatusPage:
        assert self._state.metrics is not None
        accept = b",".join(value for name, value in headers if name == b"accept").decode("latin-1")
        content_type, body = await self._state.metrics.scrape(accept)
        return StatusPage(200, body, content_type)
