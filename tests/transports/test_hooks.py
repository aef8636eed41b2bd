"""What a hook does wrong, and what a caller asks for in vain: the same answers on the Unix socket and on gRPC."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from tests.support.faulty_plugin import SECRET
from tests.support.logs import logged
from tests.support.serving import Served
from tests.support.unix_v1 import UnixV1Client

Invoke = Callable[[bytes], Any]


@pytest.fixture(params=["unix", "grpc", "grpc+unix", "grpc 1.0.0"])
def invoke(request: pytest.FixtureRequest, served: Served, pb: Any) -> Iterator[Invoke]:
    """Sends a hook call as bytes and returns the reply; "grpc 1.0.0" names the service as that gateway does."""
    way, _, release = request.param.partition(" ")
    scheme, _, address = served.endpoints[way].partition("://")
    if scheme == "unix":
        with UnixV1Client(address, pb) as peer:

            def over_unix(data: bytes) -> Any:
                peer.send(data)
                return peer.reply()

            yield over_unix
        return
    package = "mcpgateway.plugins" if release else "cpex"
    with grpc.insecure_channel(f"unix:{address}" if scheme == "grpc+unix" else address) as channel:
        method: Any = channel.unary_unary(
            f"/{package}.PluginService/InvokeHook", None, pb.InvokeHookResponse.FromString
        )
        yield lambda data: method(data, timeout=20)


@pytest.fixture
def write(pb: Any) -> Callable[..., bytes]:
    return lambda behaviour, args=None, **options: request(pb, behaviour, args or {}, **options)


def request(
    pb: Any, behaviour: str, args: dict[str, Any], plugin: str = "Probe", hook: str = "tool_pre_invoke"
) -> bytes:
    message = pb.InvokeHookRequest(hook_type=hook, plugin_name=plugin)
    message.payload.update({"name": behaviour, "args": args})
    message.context.global_context.request_id = "r"
    written: bytes = message.SerializeToString()
    return written


def test_a_result_and_the_context(invoke: Invoke, write: Any) -> None:
    reply = invoke(write("echo", {"n": 1, "none": None, "list": [], "map": {}, "half": 0.5}))
    assert not reply.HasField("error")
    result = json_format.MessageToDict(reply.result)
    assert result["continue_processing"] is True
    assert result["modified_payload"]["args"] == {"n": 1, "none": None, "list": [], "map": {}, "half": 0.5}
    assert reply.context.state["calls"] == 1
    assert reply.context.global_context.state["seen"] == "echo"


def test_names_of_plugins_do_not_mind_case(invoke: Invoke, write: Any) -> None:
    assert invoke(write("echo", {}, plugin="PROBE")).plugin_name == "PROBE"


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ({"plugin": "Nobody"}, "UNKNOWN_PLUGIN", "no plugin 'Nobody'"),
        ({"hook": "tool_flavour"}, "UNKNOWN_HOOK", "no hook 'tool_flavour'"),
        ({"hook": "agent_pre_invoke"}, "HOOK_NOT_IMPLEMENTED", "does not implement hook agent_pre_invoke"),
    ],
)
def test_what_is_not_there(invoke: Invoke, write: Any, options: dict[str, str], code: str, text: str) -> None:
    error = invoke(write("echo", {}, **options)).error
    assert (error.code, error.mcp_error_code) == (code, -32603)
    assert text in error.message


def test_a_missing_field_is_named(invoke: Invoke, pb: Any) -> None:
    message = pb.InvokeHookRequest(hook_type="tool_pre_invoke", plugin_name="Probe")
    message.payload.update({"args": {}})
    error = invoke(message.SerializeToString()).error
    assert error.code == "INVALID_PAYLOAD"
    assert "payload.name" in error.message


def test_a_number_that_json_has_not_is_named(invoke: Invoke, write: Any) -> None:
    error = invoke(write("echo", {"deep": [1, float("nan")]})).error
    assert error.code == "INVALID_PAYLOAD"
    assert "payload.args.deep[1]" in error.message


def test_a_hook_that_raises_keeps_its_secret(invoke: Invoke, write: Any, served: Served) -> None:
    reply = invoke(write("crash"))
    assert reply.error.code == "HOOK_FAILED"
    assert SECRET not in str(reply)
    incident = reply.error.message.split()[-1]
    assert logged(served, f"error_id={incident}")
    assert logged(served, "faulty_plugin.py:")
    assert not any(SECRET in line for line in served.log)


def test_a_deliberate_error_passes_as_it_is(invoke: Invoke, write: Any) -> None:
    error = invoke(write("deliberate")).error
    assert (error.message, error.code, error.mcp_error_code) == ("upstream is down", "UPSTREAM", -32050)
    assert json_format.MessageToDict(error.details) == {"tries": 3}


def test_metrics_of_a_denial_keep_their_types(invoke: Invoke, write: Any) -> None:
    reply = invoke(write("violation"))
    metrics = reply.result_base.denial_metadata.fields
    assert metrics["n"].integer == 2**60
    assert metrics["f"].WhichOneof("value") == "floating"
    assert metrics["b"].boolean is True
    assert "denial_metadata" not in reply.result
    assert json_format.MessageToDict(reply.result)["violation"]["details"] == {"at": [1, "two"]}


@pytest.mark.parametrize(
    ("behaviour", "path"),
    [
        ("integer", "result.modified_payload.args.deep[1].n: integer beyond 2^53"),
        ("nan", "result.modified_payload.args.deep[1].x: NaN is not JSON"),
        ("surrogate", "result.modified_payload.args.text: lone surrogate"),
        ("foreign", "result.modified_payload.args.thing: object of type object"),
        ("broken_error", "error.details.thing: object of type object"),
        ("deep", "nested too deep"),
    ],
)
def test_a_result_that_cannot_travel_is_named(invoke: Invoke, write: Any, behaviour: str, path: str) -> None:
    reply = invoke(write(behaviour))
    assert reply.error.code == "UNREPRESENTABLE"
    assert path in reply.error.message
    assert not reply.HasField("result")
    json.dumps(reply.error.message)


def test_a_hook_over_its_time(invoke: Invoke, write: Any) -> None:
    assert invoke(write("sleep", {"seconds": 60})).error.code == "HOOK_TIMEOUT"
