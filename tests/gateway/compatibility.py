"""Writes the tables of docs/compatibility.md: `python -m tests.gateway.compatibility`.

Each release's clients, in an environment of their own, call one rendered plugin over each transport, with each hook
that the release's gateways fire. Exits with 1 when a check is red.
"""

from __future__ import annotations

import platform
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.support.rendering import ALL_HOOKS, ROOT, rendered_plugin

from .judge import CHECKS, Colour
from .limits import LIMITS
from .matrix import Cell, cells, server
from .releases import FRAMEWORK_RELEASES, TRANSPORTS
from .responder import MODES

_DOCUMENT = ROOT / "docs" / "compatibility.md"
_TABLES = re.compile(r"(?<=<!-- tables: begin -->\n).*(?=<!-- tables: end -->)", re.DOTALL)
TRANSPORT_NAMES = {
    "http": "MCP over HTTP",
    "stdio": "MCP over stdio",
    "grpc": "gRPC",
    "grpc+unix": "gRPC on a Unix socket",
    "unix": "Unix socket",
}


def _row(found: list[Cell], transport: str) -> str:
    texts = []
    for check in CHECKS:
        colours = Counter(cell.colour for cell in found if cell.transport == transport and cell.check == check)
        number = next((n for n, limit in enumerate(LIMITS, 1) if limit.check == check), 0)
        text = [f"{colours[Colour.GREEN]} of {colours.total()}"] if colours[Colour.GREEN] else []
        text += [f"{colours[Colour.GREY]} grey ({number})"] if colours[Colour.GREY] else []
        text += [f"**{colours[Colour.RED]} red**"] if colours[Colour.RED] else []
        texts.append(", ".join(text))
    return f"| {TRANSPORT_NAMES[transport]} | {' | '.join(texts)} |"


def _release(name: str, gateways: str, versions: dict[str, str], found: list[Cell]) -> list[str]:
    hooks = len({cell.hook for cell in found})
    packages = ", ".join(f"{package} {version}" for package, version in versions.items())
    return [
        f"### {name}",
        "",
        f"Clients of gateways {gateways}; they fire {hooks} hooks. Installed: {packages}.",
        "",
        f"| transport | {' | '.join(CHECKS)} |",
        "| --- " * (len(CHECKS) + 1) + "|",
        *(_row(found, transport) for transport in TRANSPORTS),
        "",
    ]


def _grey(found: list[Cell]) -> list[str]:
    lines = ["### Grey", ""]
    for number, limit in enumerate(LIMITS, 1):
        grey = [cell for cell in found if cell.colour is Colour.GREY and cell.check == limit.check]
        releases = (
            "every release"
            if {cell.release for cell in grey} == {release.name for release in FRAMEWORK_RELEASES}
            else ""
        )
        releases = releases or ", ".join(sorted({cell.release for cell in grey}))
        transports = ", ".join(
            TRANSPORT_NAMES[transport] for transport in TRANSPORTS if any(cell.transport == transport for cell in grey)
        )
        said = f" It answers: `{grey[0].said}`." if grey else ""
        lines += [f"{number}. `{limit.check}` ({releases}; {transports}): {limit.cause}{said}"]
    return [*lines, ""]


def _words() -> list[str]:
    rows = [f"| `{mode}` | `{old}` | `{new}` |" for mode, (old, new) in MODES.items()]
    head = ["| mode in the plugin's file | read by gateway 1.0.0 | read by cpex |", "| --- | --- | --- |"]
    return ["### Modes", "", *head, *rows, ""]


def run() -> tuple[str, list[Cell]]:
    """Run the matrix; returns the document's tables and all cells."""
    found: list[Cell] = []
    parts: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        plugin = rendered_plugin(Path(folder, "plugin"), "grpc", plugin_name="Word Guard", hooks=ALL_HOOKS)
        with server(plugin, Path(folder)) as running:
            for release in FRAMEWORK_RELEASES:
                mine: list[Cell] = []
                versions: dict[str, str] = {}
                for transport in TRANSPORTS:
                    seen = running.seen(release, transport)
                    versions = seen["versions"]
                    mine += cells(release, transport, seen)
                parts += _release(release.name, release.gateways, versions, mine)
                found += mine
    colours = Counter(cell.colour for cell in found)
    places = len({(cell.release, cell.transport, cell.hook) for cell in found})
    counted = ", ".join(f"{colours[colour]} {colour}" for colour in Colour)
    first = f"{places} cells (release, transport, hook) with {len(found)} checks: {counted}. Python"
    return "\n".join([f"{first} {platform.python_version()}.", "", *parts, *_grey(found), *_words()]), found


def main() -> int:
    started = time.monotonic()
    tables, found = run()
    text = _DOCUMENT.read_text("utf-8")
    _DOCUMENT.write_text(_TABLES.sub(lambda _: tables, text), "utf-8")
    red = [cell for cell in found if cell.colour is Colour.RED]
    for cell in red:
        print(f"{cell.release}, {cell.transport}, {cell.hook}, {cell.check}: {cell.said}", file=sys.stderr)
    print(f"{tables.splitlines()[0]} {time.monotonic() - started:.0f} s")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
