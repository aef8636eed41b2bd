"""The starters of all kinds, started, called and stopped by Docker's MCP gateway."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.rendering import RenderedPlugin

from .conftest import Start
from .gateway import CallFailed

Kinds = dict[str, RenderedPlugin]


@pytest.mark.parametrize(
    ("kind", "method", "params", "result"),
    [
        ("telemetry", "record-counter", {"name": "mcp.tool.calls", "value": 1, "attributes": {"tool": "ps"}}, "ok"),
        ("telemetry", "record-histogram", {"name": "mcp.tool.duration", "value": 0.25, "attributes": None}, "ok"),
        ("telemetry", "record_gauge", {"name": "mcp.tools", "value": 3}, "ok"),
        ("audit", "log-event", {"event_type": "tool_call", "metadata": {"tango": "a secret"}}, "ok"),
    ],
)
def test_a_call_of_each_method(kinds: Kinds, start: Start, kind: str, method: str, params: Any, result: Any) -> None:
    plugin = start(kinds[kind])
    assert plugin.call(method, params) == result
    assert plugin.close() == 0
    assert plugin.rest_of_output() == ""


def test_a_user_is_known_by_the_digest_of_a_key(kinds: Kinds, start: Start, tmp_path: Path) -> None:
    plugin = kinds["auth"]
    config = yaml.safe_load((plugin.root / "resources/plugins/config.yaml").read_text())
    # A repository as rendered knows nobody.
    assert config["plugins"][0]["config"] == {"users": {}}
    digest = hashlib.sha256(b"a long random key").hexdigest()
    config["plugins"][0]["config"]["users"] = {"ann@example.com": {"key_sha256": digest, "roles": ["reader"]}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    started = start(plugin, "--config", str(tmp_path / "config.yaml"))
    user: Any = {"user_id": "ann@example.com", "tenant_id": None, "roles": ["reader"], "groups": [], "metadata": {}}
    assert started.call("validate_credential", {"type": "api_key", "value": "a long random key"}) == user


def test_every_method_that_a_plugin_may_have_can_be_asked_for(kinds: Kinds) -> None:
    plugin = kinds["hooks"]
    runtime = f"{plugin.package}.runtime"
    script = f"from {runtime}.host.loader import METHODS; from {runtime}.host.docker import SPECS; "
    run = subprocess.run(
        [plugin.python, "-c", script + "print(*METHODS); print(*SPECS)"],
        env=plugin.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    named, specified = run.stdout.splitlines()
    assert named == specified


def test_what_is_measured_stands_in_the_log(kinds: Kinds, start: Start) -> None:
    plugin = start(kinds["telemetry"])
    plugin.call("record-counter", {"name": "calls", "value": 1, "attributes": {"tool": "ps"}})
    plugin.close()
    found = [line.partition("{") for line in plugin.errors if '"kind"' in line]
    assert [json.loads(brace + rest) for _, brace, rest in found] == [
        {"kind": "counter", "name": "calls", "value": 1, "attributes": {"tool": "ps"}}
    ]


def test_an_unknown_key_is_refused_and_appears_nowhere(kinds: Kinds, start: Start) -> None:
    plugin = start(kinds["auth"])
    with pytest.raises(CallFailed) as refused:
        plugin.call("validate_credential", {"type": "api_key", "value": "guessed-key"})
    assert refused.value.args == (403, "The credential is not known.\n")
    plugin.close()
    assert "guessed-key" not in "".join(plugin.errors)


def test_a_hook_is_a_method_too(kinds: Kinds, start: Start) -> None:
    plugin = start(kinds["hooks"])
    payload = {"name": "search", "args": {"query": "call tango now"}}
    answer = plugin.call("tool_pre_invoke", {"payload": payload})
    assert answer["modified_payload"]["args"] == {"query": "call *** now"}
    payload = {"name": "search", "args": {"query": "classified"}}
    answer = plugin.call("tool-pre-invoke", {"payload": payload, "plugin_name": "myplugin"})
    assert answer["continue_processing"] is False
    assert answer["violation"]["code"] == "FORBIDDEN_WORD"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_either_signal_stops_it(kinds: Kinds, start: Start, number: int) -> None:
    assert start(kinds["telemetry"]).close(number) == 0
