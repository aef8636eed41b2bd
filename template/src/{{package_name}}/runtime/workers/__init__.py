"""Several processes that serve as one: a supervisor, which starts them and holds the sockets, and its workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext

from ..errors import StartError
from ..settings import ServerSettings
from .membership import Membership
from .metrics_folder import MetricsFolder
from .supervisor import Supervisor

__all__ = ["Membership", "supervise"]


def supervise(settings: ServerSettings, announce: Callable[[list[str]], None]) -> int:
    """Serve with several workers, which run the command line of this process.

    Args:
        settings: how many, and what they serve.
        announce: told once, when all of them serve, what a server that stands alone would print.

    Returns:
        The exit code.

    Raises:
        StartError: a transport cannot be shared, or the first worker cannot start.
    """
    if "stdio" in settings.transports:
        raise StartError(
            f"{settings.workers} workers (--workers, PLUGINS_WORKERS) cannot share standard input and output; serve "
            "stdio with one"
        )
    with MetricsFolder() if settings.metrics else nullcontext() as metrics:
        return asyncio.run(Supervisor(settings.workers, settings.grace, announce, metrics).run())
