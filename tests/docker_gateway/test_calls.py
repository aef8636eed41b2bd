"""What /call answers: to hooks, and to what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import serve

from .gateway import CallFailed, Sidecar
from .plugins import write_config


@pytest.fixture(scope="module")
def plugin(kinds: dict[str, RenderedPlugin], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """Several plugins in one server."""
    config = write_config(tmp_path_factory.mktemp("calls"), kinds["hooks"].package, "Vault", "Loud", "Guard")
    with serve(kinds["hooks"], "http", "--config", str(config)) as served:
        yield Sidecar(served.endpoints["http"].removesuffix("/mcp"))


def test_the_context_of_a_hook_comes_back(plugin: Sidecar) -> None:
    params = {"plugin_name": "Guard", "payload": {"name": "forbidden"}}
    answer = plugin.post({"method": "tool_pre_invoke", "params": params})
    assert answer["result"]["continue_processing"] is False
    assert answer["context"]["state"] == {"seen": "forbidden"}


@pytest.mark.parametrize(
    ("message", "status", "text"),
    [
        (b"{", 400, "the body is not valid JSON: "),
        ([], 400, 'the body must be an object with the members "method", a string, and "params"'),
        ({"params": {}}, 400, 'the body must be an object with the members "method", a string, and "params"'),
        ({"method": "record-counter", "params": []}, 400, "params must be an object"),
        ({"method": "reboot"}, 404, "there is no method 'reboot'"),
        ({"method": "log-event"}, 404, "HOOK_NOT_IMPLEMENTED: no plugin of this server answers log_event"),
        ({"method": "record-counter", "params": {"value": 1}}, 400, "INVALID_PAYLOAD: payload.name: Field required"),
        ({"method": "record-gauge", "params": {"name": "g", "value": 1}}, 500, "INVALID_RESULT: hook record_gauge "),
        ({"method": "record-histogram", "params": {"name": "h", "value": 1}}, 500, "HOOK_FAILED: hook "),
        ({"method": "tool_pre_invoke", "params": {"payload": {"name": "x"}}}, 400, "params.plugin_name must be a str"),
        ({"method": "tool_pre_invoke", "params": {"plugin_name": "X"}}, 404, "UNKNOWN_PLUGIN: "),
        ({"method": "tool_post_invoke", "params": {"plugin_name": "Guard"}}, 404, "HOOK_NOT_IMPLEMENTED: "),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_in_a_text(plugin: Sidecar, message: object, status: int, text: str) -> None:
    with pytest.raises(CallFailed) as failed:
        plugin.post(message)
    assert failed.value.args[0] == status
    assert failed.value.args[1].startswith(text)
    assert "the-secret-of-the-plugin" not in failed.value.args[1]
