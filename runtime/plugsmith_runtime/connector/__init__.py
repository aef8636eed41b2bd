"""Gateway plugin that carries hooks to a plugin server. It runs inside the gateway."""

from __future__ import annotations

from .remote_plugin import RemotePlugin

__all__ = ["RemotePlugin"]
