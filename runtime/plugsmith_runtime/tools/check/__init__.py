"""`check`: look at configuration, certificates, ports, sockets and versions, and say what to put right."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ...cli import Colours
from ...errors import StartError
from ...plugin_server import options

_COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}
Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: versions, config, certificates, ports or sockets.
        level: ok; note for what is worth knowing; problem for what must be put right before the server can do its work.
        text: what was found.
        todo: what to do about it; empty when there is nothing to do.
    """

    subject: str
    level: Level
    text: str
    todo: str = ""


def problem(subject: str, error: StartError) -> Finding:
    """The finding for an error whose text says what is wrong and, behind a semicolon, what to do."""
    text, _, todo = str(error).rpartition("; ")
    return Finding(subject, "problem", text or todo, todo if text else "")


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("check", help="say what to put right before serving", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check; the exit code is 1 when something must be put right."""
    findings = list(_findings(arguments))
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        _print(findings)
    problems = sum(finding.level == "problem" for finding in findings)
    if problems:
        print(f"{problems} of {len(findings)} findings must be put right", file=sys.stderr)
    return 1 if problems else 0


def _findings(arguments: argparse.Namespace) -> Iterator[Finding]:
    from .configuration import check_addresses, check_certificates, check_plugins, check_variables
    from .versions import check_versions

    yield from check_variables()
    try:
        path, file, settings = options.load(arguments)
    except StartError as error:
        yield from check_versions(arguments.package, ())
        yield problem("config", error)
        return
    yield from check_versions(arguments.package, settings.transports)
    yield from check_plugins(path, file)
    yield from check_certificates(settings)
    yield from asyncio.run(check_addresses(settings, file))


def _print(findings: list[Finding]) -> None:
    colours = Colours(sys.stdout)
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        level = colours(f"{finding.level:8}", _COLOURS[finding.level])
        print(f"{finding.subject:{width}}  {level} {finding.text}")
        if finding.todo:
            print(f"{'':{width}}  {'':8} -> {finding.todo}")
