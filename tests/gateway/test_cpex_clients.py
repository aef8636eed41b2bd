"""cpex 0.1.4's own clients, as gateways 1.0.11 and 1.1.0 use them, against a server in another process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import environment
from tests.support.faulty_plugin import SECRET, write_config
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve

from .clients import client_block, drive
from .releases import TRANSPORTS


@pytest.fixture(scope="module")
def config(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_config(tmp_path_factory.mktemp("gateway"), rendered)


@pytest.fixture(scope="module")
def served(rendered: RenderedPlugin, config: Path) -> Iterator[Served]:
    with serve(rendered, "http,grpc,unix", "--config", str(config)) as server:
        yield server


@pytest.fixture(scope="module", params=TRANSPORTS)
def seen(request: pytest.FixtureRequest, rendered: RenderedPlugin, config: Path, served: Served) -> dict[str, Any]:
    """What the client of one transport saw."""
    transport: str = request.param
    job = {"block": client_block(transport, rendered, config, served), "name": "WordGuard"}
    return drive(environment("cpex", ["cpex[grpc]==0.1.4"]), "driver", job) | {"transport": transport}


def test_the_config_is_fetched(seen: dict[str, Any]) -> None:
    assert seen["config"]["name"] == "WordGuard"
    # Unlike the others, cpex's Unix client asks for the configuration and then keeps its own.
    if seen["transport"] != "unix":
        assert seen["config"]["version"] == "0.1.0"
        assert "tool_pre_invoke" in seen["config"]["hooks"]


def test_an_allowed_call_passes(seen: dict[str, Any]) -> None:
    assert seen["allowed"]["continue_processing"] is True
    assert seen["allowed"]["modified_payload"] is None


def test_a_payload_is_modified(seen: dict[str, Any]) -> None:
    payload = seen["modified"]["modified_payload"]
    assert payload["name"] == "search"
    assert payload["args"] == {"query": "call *** now", "n": 5, "ratio": 0.5}


def test_a_call_is_blocked_with_code_and_details(seen: dict[str, Any]) -> None:
    assert seen["blocked"]["continue_processing"] is False
    assert seen["blocked"]["violation"]["code"] == "FORBIDDEN_WORD"
    assert seen["blocked"]["violation"]["details"] == {"word": "classified"}


def test_context_state_is_carried_back_and_forth(seen: dict[str, Any]) -> None:
    assert seen["state"] == {"own": {"calls": 2}, "shared": {"seen": "echo"}}
    assert seen["post"] == {"state": {"calls": 2}, "seen": {"seen": "echo"}}


def test_a_plugin_error_arrives_as_the_plugin_wrote_it(seen: dict[str, Any]) -> None:
    error = seen["deliberate"]["error"]
    assert error["message"] == "upstream is down"
    assert (error["code"], error["mcp_error_code"], error["plugin_name"]) == ("UPSTREAM", -32050, "Probe")
    assert error["details"] == {"tries": 3}


def test_a_crash_arrives_as_a_code_and_an_id(seen: dict[str, Any]) -> None:
    error = seen["crash"]["error"]
    assert error["code"] == "HOOK_FAILED"
    assert "error id" in error["message"]
    assert SECRET not in json.dumps(seen)


def test_a_violation_keeps_its_details_and_typed_metrics(seen: dict[str, Any]) -> None:
    assert seen["violation"]["violation"]["details"] == {"at": [1, "two"]}
    assert seen["violation"]["denial_metadata"] == {"n": 2**60, "f": 2.0, "b": True}


def test_an_unknown_plugin_is_an_error(seen: dict[str, Any]) -> None:
    error = seen["unknown"]["error"]
    if seen["transport"] == "unix":
        assert error["code"] == "UNKNOWN_PLUGIN"
    else:
        assert "Unable to retrieve configuration" in error["message"]
