"""The links of this process: entries with equal settings, and the copies that a gateway makes of one, share a link."""

from __future__ import annotations

import asyncio
from typing import Any

from .config import LinkConfig
from .link import Link

_links: dict[tuple[asyncio.AbstractEventLoop, LinkConfig], tuple[Link, set[Any]]] = {}


def acquire(config: LinkConfig, owner: Any) -> Link:
    """Get the link of some settings for the running event loop.

    Args:
        config: the settings.
        owner: who uses it until `release`.
    """
    key = (asyncio.get_running_loop(), config)
    if key not in _links:
        _links[key] = (Link(config), set())
    link, owners = _links[key]
    owners.add(owner)
    return link


async def release(config: LinkConfig, owner: Any) -> None:
    """Close the link once nobody uses it any more."""
    key = (asyncio.get_running_loop(), config)
    link, owners = _links.get(key, (None, {owner}))
    owners.discard(owner)
    if link is not None and not owners:
        del _links[key]
        await link.close()
