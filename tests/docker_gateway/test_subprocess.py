"""What can go wrong with a plugin that Docker's MCP gateway starts."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import run

from .conftest import Start
from .gateway import CallFailed, Subprocess
from .plugins import write_config

Kinds = dict[str, RenderedPlugin]


@pytest.fixture
def plugin(kinds: Kinds, start: Start, tmp_path: Path) -> Subprocess:
    """The plugins of plugins.py, but for Slow, in one server."""
    package = kinds["hooks"]
    config = write_config(tmp_path, package.package, "Vault", "Loud", "Guard")
    return start(package, "--config", str(config))


def test_credentials_are_kept(plugin: Subprocess) -> None:
    key = {"user_id": "ann", "mcp_server": "github", "credential_type": "api_key"}
    assert plugin.call("store_credential", key | {"value": "s3cret-value"}) == "ok"
    assert plugin.call("retrieve_credential", key) == {"value": "s3cret-value"}
    listed = plugin.call("list_credentials", {"user_id": "ann"})
    assert listed == [{"server": "github", "cred_type": "api_key", "created_at": None, "expires_at": None}]
    assert plugin.call("delete_credential", key) == "ok"
    with pytest.raises(CallFailed) as refused:
        plugin.call("retrieve_credential", key)
    assert refused.value.args == (403, "no such credential\n")
    assert plugin.close() == 0
    assert "s3cret-value" not in "".join(plugin.errors)


def test_nothing_that_a_plugin_prints_follows_the_port(plugin: Subprocess) -> None:
    # Nobody reads the pipe after the first line: a plugin that wrote there would stand still.
    assert plugin.call("record-counter", {"name": "calls", "value": 1}) == "ok"
    assert plugin.close() == 0
    assert plugin.rest_of_output() == ""
    errors = "".join(plugin.errors)
    assert "printed while imported" in errors
    assert "printed by initialize" in errors


def test_a_method_that_takes_too_long(kinds: Kinds, start: Start, tmp_path: Path) -> None:
    config = write_config(tmp_path, kinds["hooks"].package, "Slow")
    plugin = start(kinds["hooks"], "--config", str(config), "--hook-timeout", "0.2")
    with pytest.raises(CallFailed) as failed:
        plugin.call("log-event", {"event_type": "x", "metadata": {"seconds": 2}})
    assert failed.value.args == (504, "HOOK_TIMEOUT: hook log_event of plugin Slow took longer than 0.2 s\n")


def test_a_plugin_that_does_not_stop_is_killed(kinds: Kinds, start: Start, tmp_path: Path) -> None:
    plugin = start(kinds["hooks"], "--config", str(write_config(tmp_path, kinds["hooks"].package, "Slow")))
    assert plugin.close() == -signal.SIGKILL


def test_two_plugins_cannot_answer_one_method(kinds: Kinds, tmp_path: Path) -> None:
    config = write_config(tmp_path, kinds["hooks"].package, "Loud", "Vault")
    config.write_text(config.read_text() + "- {name: Louder, kind: docker_plugins.Loud}\n")
    done = run(kinds["hooks"], "serve", "--port", "0", "--config", str(config))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "plugins 'Loud' and 'Louder' both answer record_" in done.stderr
    assert "and its callers name no plugin: serve one of them" in done.stderr
