"""Logs: each line can be read by programs, tells what a call was, and holds nothing of what callers sent."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.faulty_plugin import SECRET
from tests.support.gates import Gate
from tests.support.logs import logged
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, run, serve
from tests.support.transport_clients import connect_client

TRANSPORTS = ["http", "grpc", "unix", "stdio"]
BEHAVIOURS = ["echo", "violation", "crash", "deliberate", "foreign", "nan", "no_such_behaviour", "forget"]
MARK = "what-the-caller-sent"
FORGED = "2026-01-01T00:00:00.000Z ERROR forged: all is lost"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def entries(served: Served) -> list[dict[str, Any]]:
    """The lines of a log in JSON."""
    return [json.loads(line) for line in served.log]


def calls(served: Served) -> list[dict[str, Any]]:
    """The lines about calls."""
    return [entry for entry in entries(served) if entry["message"].startswith("call ")]


def invoke(modules: Any, endpoint: str, *requests: tuple[str, str, Any, Any]) -> list[dict[str, Any]]:
    """Make calls by the client of the commands: hook, plugin, payload, context."""

    async def all_of_them() -> list[dict[str, Any]]:
        client = await modules("runtime.client").connect(endpoint)
        try:
            return [await client.invoke(*request) for request in requests]
        finally:
            await client.close()

    return asyncio.run(all_of_them())


def marked_context(request_id: str) -> dict[str, Any]:
    """A context that holds something of the caller in every place."""
    shared = {"request_id": request_id, "user": MARK, "tenant_id": MARK, "state": {"a": MARK}, "metadata": {"b": MARK}}
    return {"global_context": shared, "state": {"c": MARK}, "metadata": {"d": MARK}}


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nothing_of_a_call_is_logged(rendered: RenderedPlugin, config: str, pb: Any, transport: str, form: str) -> None:
    environ = {"PLUGINS_LOG_FORMAT": form, "PLUGINS_LOG_CALLS": "all"}
    server = serve(rendered, transport, "--config", config, **environ)
    with server as served, connect_client(served, transport, pb) as line:
        for behaviour in BEHAVIOURS:
            line.call(behaviour, text=MARK)
        assert logged(served, "Task exception was never retrieved")
        assert logged(served, "this is old")
    assert len([line for line in served.log if "observability.calls" in line]) == len(BEHAVIOURS)
    # Where it failed is there, what it said is not.
    assert any("faulty_plugin.py:" in line for line in served.log)
    assert not any(SECRET in line or MARK in line for line in served.log)
    if form == "json":
        assert all(TIME.fullmatch(entry["time"]) and entry["level"] and entry["logger"] for entry in entries(served))


@pytest.mark.parametrize("transport", ["http", "grpc", "unix"])
def test_a_call_is_described(rendered: RenderedPlugin, config: str, modules: Any, transport: str) -> None:
    environ = {"PLUGINS_LOG_FORMAT": "json", "PLUGINS_LOG_CALLS": "all"}
    with serve(rendered, transport, "--config", config, **environ) as served:
        headers = {"Authorization": MARK}
        payload = {"name": "echo", "args": {"a": MARK}, "headers": headers}
        invoke(
            modules, served.endpoints[transport],
            ("tool_pre_invoke", "probe", payload, marked_context("r-1")),
            ("tool_pre_invoke", "Probe", payload | {"name": "violation"}, marked_context("r-2")),
            ("tool_pre_invoke", "Probe", payload | {"name": "crash"}, marked_context("r-3")),
            # Wrong in ways that the models find.
            ("tool_pre_invoke", "Probe", {"name": [MARK], "args": MARK}, marked_context("r-4")),
            ("tool_pre_invoke", MARK, payload, marked_context("r-5")),
            (MARK, "Probe", payload, marked_context("r-6")),
        )  # fmt: skip
    found = {entry.pop("request_id"): entry for entry in calls(served)}
    assert found.keys() == {f"r-{number}" for number in range(1, 7)}
    for entry in found.values():
        assert entry.pop("duration_ms") >= 0
        del entry["time"], entry["logger"]
    common = {"plugin": "Probe", "hook": "tool_pre_invoke", "transport": transport}
    wrong = common | {"message": "call error", "outcome": "error", "level": "WARNING"}
    assert found["r-1"] == common | {"message": "call modified", "outcome": "modified", "level": "INFO"}
    assert found["r-2"] == common | {"message": "call blocked", "outcome": "blocked", "level": "INFO", "code": "NO"}
    assert found["r-3"] == wrong | {"level": "ERROR", "code": "HOOK_FAILED"}
    assert found["r-4"] == wrong | {"code": "INVALID_PAYLOAD"}
    assert found["r-5"] == wrong | {"code": "UNKNOWN_PLUGIN", "plugin": "unknown"}
    assert found["r-6"] == wrong | {"code": "UNKNOWN_HOOK", "hook": "unknown"}
    assert not any(MARK in line for line in served.log)


def test_an_exception_is_described(rendered: RenderedPlugin, config: str, modules: Any) -> None:
    request = ("tool_pre_invoke", "Probe", {"name": "crash", "args": {}}, marked_context("r-9"))
    with serve(rendered, "http", "--config", config, PLUGINS_LOG_FORMAT="json") as served:
        (reply,) = invoke(modules, served.endpoints["http"], request)
    (entry,) = (entry for entry in entries(served) if "exceptions" in entry)
    assert entry["level"] == "ERROR"
    assert entry["request_id"] == "r-9"
    assert reply["error"]["message"].endswith(entry["error_id"])
    (problem,) = entry["exceptions"]
    assert problem["type"] == "RuntimeError"
    assert re.search(r"faulty_plugin\.py:\d+ crash$", problem["at"][-1])
    assert problem.keys() == {"type", "at"}
    assert "PLUGINS_LOG_LEVEL=DEBUG" in entry["hint"]


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("wish", [{"PLUGINS_LOG_LEVEL": "debug"}, {"PLUGINS_DEV": "true"}])
def test_a_developer_sees_the_texts_of_exceptions(
    rendered: RenderedPlugin, config: str, pb: Any, form: str, wish: dict[str, str]
) -> None:
    server = serve(rendered, "unix", "--config", config, "--log-format", form, **wish)
    with server as served, connect_client(served, "unix", pb) as line:
        line.call("crash")
        assert logged(served, SECRET)
    assert not any("PLUGINS_LOG_LEVEL=DEBUG" in line for line in served.log)


@pytest.mark.parametrize(("wanted", "count"), [("all", 2), ("notable", 1), ("none", 0)])
def test_which_calls_are_logged(rendered: RenderedPlugin, config: str, pb: Any, wanted: str, count: int) -> None:
    server = serve(rendered, "unix", "--config", config, PLUGINS_LOG_CALLS=wanted)
    with server as served, connect_client(served, "unix", pb) as line:
        line.call("echo")
        line.call("violation")
    lines = [line for line in served.log if " call " in line]
    assert len(lines) == count
    if count:
        logged = " INFO word_guard.runtime.observability.calls: call blocked plugin=Probe hook=tool_pre_invoke "
        assert logged in lines[-1]
        assert " outcome=blocked code=NO duration_ms=" in lines[-1]
        assert lines[-1].endswith(" request_id=r\n")


def test_refused_calls_do_not_flood_the_log(rendered: RenderedPlugin, config: str, pb: Any, folder: Path) -> None:
    environ = {"PLUGINS_MAX_CONCURRENT_HOOKS": "1", "PLUGINS_LOG_FORMAT": "json"}
    count = 200
    with (
        serve(rendered, "unix", "--config", config, **environ) as served,
        connect_client(served, "unix", pb) as busy,
        connect_client(served, "unix", pb) as line,
    ):
        gate = Gate(folder)
        (call,) = gate.hold([busy], 1)
        for _ in range(count):
            assert line.call("echo").error == "OVERLOADED"
        gate.open()
        assert call().error is None
    lines = [entry for entry in calls(served) if entry["outcome"] == "overloaded"]
    assert lines[0]["level"] == "WARNING"
    # One a second, each with how many came since the one before.
    assert 1 <= len(lines) < count
    assert len(lines) + sum(entry.get("untold", 0) for entry in lines) <= count


@pytest.mark.parametrize("form", ["json", "text"])
def test_callers_cannot_forge_lines(rendered: RenderedPlugin, config: str, modules: Any, form: str) -> None:
    ids = [f"r\n{FORGED}", f"r\r{FORGED}", f"r\x1b[2K{FORGED}", f"r\u2028{FORGED}", f"r\x85{FORGED}", "\u202e" + FORGED]
    payload = {"name": "crash", "args": {}}
    environ = {"PLUGINS_LOG_FORMAT": form}
    with serve(rendered, "http,unix", "--config", config, **environ) as served:
        for transport in ("http", "unix"):
            requests = [("tool_pre_invoke", "Probe", payload, marked_context(request_id)) for request_id in ids]
            requests += [("tool_pre_invoke", "Probe", payload, marked_context("x" * 100_000))]
            invoke(modules, served.endpoints[transport], *requests)
    text = "".join(served.log)
    assert text.count("all is lost") == 2 * 2 * len(ids)
    assert not any(line.startswith("2026-01-01") for line in text.splitlines())
    assert not any(not character.isprintable() for character in text.replace("\n", ""))
    # What callers choose does not fill the log either.
    assert max(map(len, served.log)) < 2000
    if form == "json":
        assert {entry["request_id"] for entry in calls(served)} >= {f"r\n{FORGED}", f"r\r{FORGED}"}


def test_what_clients_sent_is_not_logged(rendered: RenderedPlugin, config: str) -> None:
    with serve(rendered, "http", "--config", config, PLUGINS_LOG_FORMAT="json") as served:
        parts = urlsplit(served.endpoints["http"])
        with socket.create_connection((parts.hostname, parts.port or 0)) as connection:
            connection.sendall(f"{MARK}\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
        assert logged(served, "a client sent what is no HTTP request")
    assert all("message" in entry for entry in entries(served))
    assert not any(MARK in line for line in served.log)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--log-level", "PLUGINS_LOG_LEVEL (--log-level): unknown level 'LOUD'; choose from DEBUG, INFO, WARNING, "),
        ("--log-format", "PLUGINS_LOG_FORMAT (--log-format): unknown format 'loud'; choose from text, json"),
    ],
)
def test_a_wrong_setting_is_said(rendered: RenderedPlugin, option: str, message: str) -> None:
    done = run(rendered, "serve", option, "loud")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1
