"""A server of several workers: the supervisor as the settings ask for it."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any

from ..errors import StartError
from ..observability.metrics.multiprocess import MetricsFolder
from ..process.supervisor import Supervisor
from .readiness import ReadinessOutput, ServerReady
from .settings import ServerSettings


def supervise(settings: ServerSettings, output: ReadinessOutput) -> int:
    """Serve with several workers, which run the command line of this process.

    Args:
        settings: how many, and what they serve.
        output: told once, when all of them serve.

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

    def on_ready(message: Any) -> None:
        output.ready(ServerReady.from_message(message))

    with MetricsFolder() if settings.metrics else nullcontext() as metrics:
        supervisor = Supervisor(
            settings.workers,
            settings.grace,
            on_ready,
            on_exit=metrics.forget if metrics else None,
            environ=metrics.environ if metrics else None,
        )
        return asyncio.run(supervisor.run())
