"""`demo`: serve the plugin on every transport, call it over each, and show what came back."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ..clients import connect
from ..clients.context import new_context
from ..errors import StartError
from . import options
from .demo_cases import Case, is_right, load_cases, verdict
from .endpoints import server_command

_START_LIMIT = 30.0
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
    path, file, _ = options.load(argparse.Namespace(**(vars(arguments) | {"transport": None})))
    cases = load_cases(Path(arguments.cases))
    transports = [name.strip() for name in arguments.transport.split(",") if name.strip()]
    rows = asyncio.run(_all_calls(file.plugins[0].name, cases, transports, str(path.absolute())))
    if arguments.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print_table(rows)
    wrong = sum(not row["right"] for row in rows)
    if wrong:
        print(f"{wrong} of {len(rows)} answers are wrong", file=sys.stderr)
    return 1 if wrong else 0


async def _all_calls(plugin: str, cases: list[Case], transports: list[str], config: str) -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        listening = [name for name in transports if name != "stdio"]
        endpoints: list[str] = []
        if "stdio" in transports:
            command = server_command("--transport", "stdio", "--config", config, "--log-level", "ERROR")
            endpoints.append("stdio:" + shlex.join(command))
        async with _server(listening, folder, config) as served:
            for endpoint in served + endpoints:
                rows += await _calls(endpoint, plugin, cases)
    return rows


async def _calls(endpoint: str, plugin: str, cases: list[Case]) -> list[dict[str, Any]]:
    client = await connect(endpoint)
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


@asynccontextmanager
async def _server(transports: list[str], folder: str, config: str) -> AsyncIterator[list[str]]:
    """Run `serve` in another process on free ports and sockets in a folder; yields its endpoints."""
    if not transports:
        yield []
        return
    places = ["--port", "0", "--grpc-port", "0", "--grpc-uds", f"{folder}/g.sock", "--socket", f"{folder}/u.sock"]
    command = server_command("--transport", ",".join(transports), "--config", config, "--log-level", "WARNING", *places)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    expected = len(transports) + ("grpc" in transports)
    endpoints: list[str] = []
    try:
        async with asyncio.timeout(_START_LIMIT):
            while len(endpoints) < expected:
                line = (await process.stderr.readline()).decode(errors="replace").rstrip()
                if not line and process.stderr.at_eof():
                    raise StartError(f"the server did not start (exit code {await process.wait()})")
                before, found, endpoint = line.rpartition(" on ")
                if found and before.startswith("serving "):
                    endpoints.append(endpoint)
                else:
                    print(line, file=sys.stderr)
        # Somebody must go on reading, or a talkative plugin fills the pipe and stands still.
        echo = asyncio.create_task(_echo(process.stderr))
        yield endpoints
    except TimeoutError as problem:
        raise StartError(f"the server was not ready within {_START_LIMIT:g} s") from problem
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    await echo


async def _echo(stream: asyncio.StreamReader) -> None:
    while line := await stream.readline():
        print(line.decode(errors="replace").rstrip(), file=sys.stderr)


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
