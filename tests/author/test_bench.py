"""`bench` measures every transport; the figures themselves are not looked at."""

from __future__ import annotations

import json

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import run

SHORT = ["--seconds", "0.05"]
TRANSPORTS = ["http", "grpc", "grpc+unix", "unix", "stdio"]


def test_a_table_with_bars(author: RenderedPlugin) -> None:
    done = run(author, "bench", *SHORT, "--in-flight", "2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("MyPlugin at tool_pre_invoke: calls/s with 2 calls at a time, latency with one; 0.05 s")
    assert lines[2].split() == ["p50", "ms", "p99", "ms", "calls/s"]
    rows = [line.split() for line in lines[3:8]]
    assert [row[0] for row in rows] == TRANSPORTS
    longest = max(rows, key=lambda row: float(row[3].replace(",", "")))
    assert longest[4] == "█" * 40
    assert done.stderr == ""


def test_json_for_programs(author: RenderedPlugin) -> None:
    payload = '{"name": "x", "result": "tango"}'
    done = run(
        author, "bench", *SHORT, "--json", "--transport", "unix", "--hook", "tool_post_invoke", "--payload", payload
    )
    assert done.returncode == 0, done.stderr
    (figures,) = json.loads(done.stdout)
    assert figures.keys() == {"transport", "calls_per_second", "p50_ms", "p99_ms"}
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert figures["calls_per_second"] > 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--payload", "{}"], "--payload is given without its hook; name it with --hook"),
        (["--hook", "tool_post_invoke"], "has no call of tool_post_invoke; give its payload with --payload"),
        (["--hook", "tool_pre_invoke", "--payload", "{"], "the payload is not JSON"),
        (["--hook", "tool_pre_invoke", "--payload", "{}"], "the plugin answers the call with INVALID_PAYLOAD: "),
        (["--seconds", "0"], "--seconds and --in-flight must be above 0"),
        (["--transport", "smtp"], "unknown transport 'smtp'; choose from http, "),
    ],
)
def test_what_cannot_be_measured(author: RenderedPlugin, options: list[str], reason: str) -> None:
    done = run(author, "bench", *SHORT, "--transport", "unix", *options)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
