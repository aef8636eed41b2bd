"""The client's verified names on their way into an HTTP request, and the allow-list on HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from ..tls.identity import STATE_KEY, ClientAllowList, client_identities, main_identity

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def identity_protocol(base: type[Any] | None = None) -> type[asyncio.Protocol]:
    """A protocol class for `uvicorn.Config(http=...)` that shows the client's verified names to the application.

    They stand in `scope["state"]["tls_identities"]`, a tuple that is empty when the client showed no certificate. ASGI
    has a TLS extension for this, but uvicorn does not fill it.

    Args:
        base: the uvicorn protocol class to extend; by default the one that uvicorn would choose.
    """
    if base is None:
        from uvicorn.protocols.http.auto import AutoHTTPProtocol

        base = AutoHTTPProtocol
    chosen: Any = base

    class IdentityProtocol(chosen):  # type: ignore[misc]
        app_state: dict[str, Any]

        def connection_made(self, transport: asyncio.Transport) -> None:
            names = client_identities(transport.get_extra_info("peercert"))
            # The protocol copies app_state into the scope of each request of this connection.
            self.app_state = {**self.app_state, STATE_KEY: names}
            logger.info("TLS client %s connected from %s", main_identity(names), transport.get_extra_info("peername"))
            super().connection_made(transport)

    return IdentityProtocol


class AllowList:
    """An ASGI application that lets only the named clients through to another one.

    Args:
        app: the application that is guarded.
        allowed: the names that are let in.
    """

    def __init__(self, app: App, allowed: Sequence[str]) -> None:
        self._app = app
        self._allowed = ClientAllowList(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = scope.get("state", {}).get(STATE_KEY, ())
        if scope["type"] == "lifespan" or self._allowed.admits(names):
            await self._app(scope, receive, send)
            return
        body = b"this client certificate is not in the server's allowed_clients\n"
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": body})
