"""Client certificates (mutual TLS) in an ASGI application: the client's verified names, and an allow-list of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from ..tls.identity import STATE_KEY, ClientAllowList, client_identities, main_identity
from .responses import TEXT, AsgiApp, Receive, Scope, Send, send_body

logger = logging.getLogger(__name__)


def add_identities(state: dict[str, Any], transport: asyncio.BaseTransport) -> None:
    """Add the client's verified names to the `state` of an ASGI scope.

    They stand there as `tls_identities`, a tuple that is empty when the client showed no certificate.
    """
    names = client_identities(transport.get_extra_info("peercert"))
    state[STATE_KEY] = names
    logger.info("TLS client %s connected from %s", main_identity(names), transport.get_extra_info("peername"))


class AllowList:
    """An ASGI application that lets only the named clients through to another one.

    Args:
        app: the application that is guarded.
        allowed: the names that are let in.
    """

    def __init__(self, app: AsgiApp, allowed: Sequence[str]) -> None:
        self._app = app
        self._allowed = ClientAllowList(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = scope.get("state", {}).get(STATE_KEY, ())
        if scope["type"] == "lifespan" or self._allowed.admits(names):
            await self._app(scope, receive, send)
            return
        await send_body(send, 403, TEXT, b"this client certificate is not in the server's allowed_clients\n")
