"""The official Python SDK, both generations, against the engine's server in another process."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import environment

from .conftest import everything_command
from .everything import BLOCKS, FIRST_TOOLS, PAGE_SIZE_TOOLS

SCRIPT = Path(__file__).with_name("sdk_script.py")
GENERATIONS = {"1": "mcp>=1.20,<2", "2": "mcp>=2,<3"}
LIMIT_SECONDS = 60.0
CASES = [("1", "session", "2025-11-25"), ("2", "session", "2025-11-25"), ("2", "discover", "2026-07-28")]


def drive(generation: str, *arguments: str) -> Any:
    python = environment(f"mcp{generation}", [GENERATIONS[generation]])
    done = subprocess.run(
        [str(python), str(SCRIPT), *arguments],
        capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(seen: Any, generation: str, version: str) -> None:
    assert seen["sdk"].startswith(f"{generation}.")
    assert seen["version"] == version
    pages, names = seen["pages"]
    first = [tool.name for tool in FIRST_TOOLS]
    assert names[: len(first)] == first
    assert pages == -(-len(names) // PAGE_SIZE_TOOLS)
    assert seen["add"]["structuredContent"] == {"sum": 6.5}
    assert seen["add"]["content"] == [{"type": "text", "text": '{"sum":6.5}'}]
    assert seen["add"]["_meta"] == {"example.com/cost": 1}
    # Only the newest revision takes what is not an object; the text says the same to all.
    structured = [1, 2, 2**64 + 1] if version == "2026-07-28" else None
    assert seen["list"].get("structuredContent") == structured
    assert json.loads(seen["list"]["content"][0]["text"]) == [1, 2, 2**64 + 1]
    assert seen["fail"]["isError"] and seen["nan"]["isError"]
    assert seen["nan"]["content"][0]["text"] == "the tool's result cannot be sent: deep[0]: NaN is not JSON"
    assert seen["blocks"]["content"] == list(BLOCKS.values())
    assert seen["crash"] == "internal error; the server's log has the reason"
    assert seen["no_such_tool"] == "unknown tool 'no_such_tool'"
    steps, logs, text = seen["count"]
    assert steps == [[number, 3, f"step {number}"] for number in (1, 2, 3)]
    assert logs == [["info", f"counted {number}", "counter"] for number in (1, 2, 3)]
    assert text == "counted to 3; progress wanted: True"
    assert seen["changed"] == "ToolsListChanged"
    assert seen["grown"]


@pytest.mark.parametrize(("generation", "mode", "version"), CASES)
def test_http(everything: str, generation: str, mode: str, version: str) -> None:
    check(drive(generation, "http", mode, everything), generation, version)


@pytest.mark.parametrize(("generation", "mode", "version"), CASES)
def test_stdio(generation: str, mode: str, version: str) -> None:
    check(drive(generation, "stdio", mode, *everything_command("stdio")), generation, version)
