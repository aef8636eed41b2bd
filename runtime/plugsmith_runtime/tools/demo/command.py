"""`demo`: serve the plugin on every transport, call it over each, and show what came back."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from ...client import connect, new_context
from ...plugin_server import options
from ...plugin_server.settings import ServerSettings
from ..subprocess_server import own_server
from .cases import Case, is_right, load_cases, verdict

_TRANSPORTS = "http,grpc,unix,stdio"


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("demo", help="call the plugin over every transport", description=__doc__)
    options.add_config_options(parser)
    parser.add_argument("--cases", default="resources/demo.yaml", metavar="FILE", help="cases [default: %(default)s]")
    parser.add_argument("--transport", default=_TRANSPORTS, metavar="LIST", help="transports [default: %(default)s]")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the demo; the exit code is 1 when any answer is wrong."""
    path, file, settings = options.load(argparse.Namespace(**(vars(arguments) | {"transport": None})))
    cases = load_cases(Path(arguments.cases))
    transports = [name.strip() for name in arguments.transport.split(",") if name.strip()]
    rows = asyncio.run(_all_calls(settings, file.plugins[0].name, cases, transports, str(path.absolute())))
    if arguments.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print_table(rows)
    wrong = sum(not row["right"] for row in rows)
    if wrong:
        print(f"{wrong} of {len(rows)} answers are wrong", file=sys.stderr)
    return 1 if wrong else 0


async def _all_calls(
    settings: ServerSettings, plugin: str, cases: list[Case], transports: list[str], config: str
) -> list[dict[str, Any]]:
    rows = []
    async with own_server(settings.package, transports, config) as endpoints:
        for endpoint in endpoints:
            rows += await _calls(endpoint, plugin, cases, settings.http.token)
    return rows


async def _calls(endpoint: str, plugin: str, cases: list[Case], token: str | None) -> list[dict[str, Any]]:
    client = await connect(endpoint, token=token)
    rows = []
    try:
        for case in cases:
            reply = await client.invoke(case.hook, plugin, case.payload, new_context())
            word, detail = verdict(case, reply)
            transport = endpoint.partition(":")[0]
            row = {"transport": transport, "case": case.title, "hook": case.hook, "answer": word, "detail": detail}
            rows.append(row | {"right": is_right(case, reply)})
    finally:
        await client.close()
    return rows


def _print_table(rows: list[dict[str, Any]]) -> None:
    header = {"transport": "transport", "case": "case", "answer": "answer", "detail": "what came back"}
    table = [
        header,
        *({**row, "answer": row["answer"] if row["right"] else row["answer"] + " (wrong)"} for row in rows),
    ]
    widths = {name: max(len(str(row[name])) for row in table) for name in ("transport", "case", "answer")}
    for row in table:
        print(
            "  ".join([*(str(row[name]).ljust(width) for name, width in widths.items()), str(row["detail"])]).rstrip()
        )
