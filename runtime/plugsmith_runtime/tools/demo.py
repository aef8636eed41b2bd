"""`demo`: serve the plugin on every transport, call it over each, and show what came back."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ..client import connect, new_context
from ..errors import StartError, validation_message
from ..host.loader import CALLS
from ..plugin_server import options
from ..plugin_server.settings import ServerSettings
from .subprocess_server import subprocess_server

_TRANSPORTS = "http,grpc,unix,stdio"


class Case(BaseModel):
    """One call of the demo.

    Attributes:
        title: what the case shows.
        hook: the hook to call.
        payload: its payload.
        expect: the verdict that must come back.
        becomes: the payload that must come back, for "modified".
        code: the violation's code that must come back, for "blocked".
    """

    model_config = ConfigDict(extra="forbid")

    title: str
    hook: str
    payload: dict[str, Any]
    expect: Literal["allowed", "modified", "blocked"]
    becomes: Any = None
    code: str | None = None


def load_cases(path: Path) -> list[Case]:
    """Read the demo's cases.

    Raises:
        StartError: the file is missing, not YAML, or does not fit.
    """
    try:
        cases = TypeAdapter(list[Case]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise StartError(
            f"{path}: cannot read the demo's cases ({error.strerror}); name a file with --cases"
        ) from error
    except yaml.YAMLError as error:
        raise StartError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise StartError(f"{path}: {validation_message(error)}") from error
    for case in cases:
        if case.hook not in CALLS:
            raise StartError(f"{path}: case {case.title!r}: unknown hook {case.hook!r}")
    if not cases:
        raise StartError(f"{path}: there is no case; add one with title, hook, payload and expect")
    return cases


def verdict(case: Case, reply: dict[str, Any]) -> tuple[str, str]:
    """Say what a reply is.

    Args:
        case: the case that was called.
        reply: plugin_name, result or error, context.

    Returns:
        The verdict in a word (allowed, modified, blocked, error), and what stands behind it.
    """
    if "error" in reply:
        return "error", f"{reply['error']['code']}: {reply['error']['message']}"
    result = reply["result"]
    if not result["continue_processing"]:
        violation = result.get("violation") or {}
        return "blocked", violation.get("code", "")
    changed = result.get("modified_payload")
    if changed is None or changed == case.payload:
        return "allowed", ""
    kept = (
        {name: value for name, value in changed.items() if value is not None} if isinstance(changed, dict) else changed
    )
    return "modified", json.dumps(kept, ensure_ascii=False, sort_keys=True)


def is_right(case: Case, reply: dict[str, Any]) -> bool:
    """Whether a reply is what the case demands."""
    word, _ = verdict(case, reply)
    if word != case.expect:
        return False
    if word == "blocked":
        return case.code is None or reply["result"]["violation"]["code"] == case.code
    if word == "modified":
        return case.becomes is None or _holds(reply["result"]["modified_payload"], case.becomes)
    return True


def _holds(value: Any, wanted: Any) -> bool:
    """Whether a value is what is wanted; optional fields that a model adds to a map do not count when they are null."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        extra = [name for name in value if name not in wanted and value[name] not in (None, {}, [])]
        return not extra and all(name in value and _holds(value[name], wanted[name]) for name in wanted)
    return bool(value == wanted)


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
    async with subprocess_server(settings.package, transports, config) as endpoints:
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
