"""Runs the compatibility matrix: releases, transports, hooks, checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve

from .clients import client_block, drive
from .hook_cases import PAYLOADS
from .judge import CHECKS, Colour, applies, judge
from .releases import FrameworkRelease
from .responder import MODES, word, write_config


@dataclass(frozen=True)
class Cell:
    """One check of one hook, over one transport, with the client of one release."""

    release: str
    transport: str
    hook: str
    check: str
    colour: Colour
    said: str


@dataclass(frozen=True)
class Server:
    """The server that all clients call."""

    plugin: RenderedPlugin
    config: Path
    served: Served

    def seen(self, release: FrameworkRelease, transport: str) -> dict[str, Any]:
        """What the client of a release sees over one transport."""
        job = {
            "framework": release.framework,
            "block": client_block(transport, self.plugin, self.config, self.served),
            "hooks": {hook: PAYLOADS[hook] for hook in release.hooks},
            "entries": [word(mode) for mode in MODES],
        }
        return drive(release.python, "hook_driver", job)


@contextmanager
def server(plugin: RenderedPlugin, folder: Path) -> Iterator[Server]:
    """Serve the responder over all transports.

    Args:
        plugin: a rendered plugin with all hooks and the extra grpc.
        folder: where to write the responder.
    """
    config = write_config(folder, plugin.package)
    with serve(plugin, "http,grpc,unix", "--config", str(config)) as served:
        yield Server(plugin, config, served)


def cells(
    release: FrameworkRelease, transport: str, seen: dict[str, Any], checks: Iterable[str] = CHECKS
) -> list[Cell]:
    """Judge all that a client saw."""
    return [
        Cell(release.name, transport, hook, check, *judge(check, hook, transport, seen))
        for hook in release.hooks
        for check in checks
        if applies(check, hook, seen)
    ]
