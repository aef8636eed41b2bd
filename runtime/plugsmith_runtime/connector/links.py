"""The links of this process: entries with equal settings, and the copies that a gateway makes of one, share a link."""

from __future__ import annotations

import asyncio
from typing import Any

from .config import ConnectionConfig
from .link import RemoteConnection

_links: dict[tuple[asyncio.AbstractEventLoop, ConnectionConfig], tuple[RemoteConnection, set[Any]]] = {}


def acquire(config: ConnectionConfig, owner: Any) -> RemoteConnection:
    """Get the link of some settings for the running event loop.

    Args:
        config: the settings.
        owner: who uses it until `release`.
    """
    key = (asyncio.get_running_loop(), config)
    if key not in _links:
        _links[key] = (RemoteConnection(config), set())
    link, owners = _links[key]
    owners.add(owner)
    return link


async def release(config: ConnectionConfig, owner: Any) -> None:
    """Close the link once nobody uses it any more."""
    key = (asyncio.get_running_loop(), config)
    link, owners = _links.get(key, (None, {owner}))
    owners.discard(owner)
    if link is not None and not owners:
        del _links[key]
        await link.close()
