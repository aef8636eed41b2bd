"""From a call to bytes: what is encoded, sent and recorded, in which order, and what happens to what cannot be."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from plugsmith_runtime import Plugin, ToolPreInvokePayload, ToolPreInvokeResult
from plugsmith_runtime.errors import EncodeError
from plugsmith_runtime.exact_json import dumps, loads
from plugsmith_runtime.host.config import PluginConfig
from plugsmith_runtime.host.errors import ErrorCode
from plugsmith_runtime.host.host import Host
from plugsmith_runtime.host.messages import CallDecodeError, HookCall, HookReply, OverloadedError
from plugsmith_runtime.host.respond import refuse, respond
from plugsmith_runtime.observability.calls import CallRecord, Outcome


class Example(Plugin):
    """Does what the name of the tool says."""

    async def tool_pre_invoke(self, payload: ToolPreInvokePayload, context: Any) -> ToolPreInvokeResult:
        match payload.name:
            case "wait":
                await asyncio.Event().wait()
            case "date":
                return ToolPreInvokeResult(metadata={"day": datetime.date(2026, 1, 2)})
            case "object":
                return ToolPreInvokeResult(metadata={"thing": object()})
        return ToolPreInvokeResult(modified_payload=payload)


class Steps:
    """Writes down what is sent and recorded, in its order; an observer."""

    outcomes = frozenset(Outcome)

    def __init__(self) -> None:
        self.taken: list[bytes | CallRecord] = []

    def send(self, data: bytes) -> None:
        self.taken.append(data)

    def done(self, record: CallRecord) -> None:
        self.taken.append(record)


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest_asyncio.fixture
async def host(steps: Steps) -> AsyncIterator[Host]:
    entry = PluginConfig(name="Example", kind=f"{__name__}.Example", hooks=["tool_pre_invoke"])
    host = Host([entry], max_concurrent_hooks=1, observers=[steps])
    await host.start()
    yield host
    await host.stop()


def _call(tool: str, plugin: str = "example") -> HookCall:
    return HookCall("tool_pre_invoke", plugin, {"name": tool, "args": {"n": 1}}, None, "test", size=7)


def _encode(reply: HookReply) -> bytes:
    return dumps({"result": reply.result, "error": reply.error})


@pytest.mark.asyncio
async def test_an_answer_leaves_before_its_call_is_recorded(host: Host, steps: Steps) -> None:
    reply, data = await respond(host, _call("echo"), _encode, steps.send)
    sent, record = steps.taken
    assert sent == data == _encode(reply)
    assert isinstance(record, CallRecord)
    assert (record.service, record.outcome, record.request_bytes) == ("Example", Outcome.MODIFIED, 7)
    assert record.response_bytes == len(data)


@pytest.mark.asyncio
async def test_a_value_with_a_json_form_is_sent_in_that_form(host: Host) -> None:
    _, data = await respond(host, _call("date"), _encode)
    assert loads(data)["result"]["metadata"] == {"day": "2026-01-02"}


@pytest.mark.asyncio
@pytest.mark.parametrize("tool", ["object", "echo"])
async def test_a_result_that_cannot_be_encoded_is_answered_and_recorded_as_an_error(
    host: Host, steps: Steps, tool: str
) -> None:
    def encode(reply: HookReply) -> bytes:
        if tool == "echo" and reply.error is None:
            raise EncodeError("result", "too long")
        return _encode(reply)

    reply, data = await respond(host, _call(tool), encode, steps.send)
    assert reply.error is not None and reply.error["code"] == ErrorCode.UNREPRESENTABLE
    sent, record = steps.taken
    assert sent == data == _encode(reply)
    assert isinstance(record, CallRecord) and record.code == ErrorCode.UNREPRESENTABLE


@pytest.mark.asyncio
async def test_a_call_too_many_is_recorded_and_nothing_is_sent(host: Host, steps: Steps) -> None:
    waiting = asyncio.create_task(respond(host, _call("wait"), _encode, steps.send))
    await asyncio.sleep(0)
    assert host.running == 1
    with pytest.raises(OverloadedError):
        await respond(host, _call("echo"), _encode, steps.send)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert host.running == 0
    assert [step.outcome for step in steps.taken if isinstance(step, CallRecord)] == ["overloaded", "cancelled"]
    assert len(steps.taken) == 2


@pytest.mark.asyncio
async def test_a_call_that_cannot_be_decoded_is_answered_and_recorded(host: Host, steps: Steps) -> None:
    data = refuse(host, CallDecodeError(_call("echo"), ErrorCode.INVALID_PAYLOAD, "payload: no"), _encode, steps.send)
    sent, record = steps.taken
    assert sent == data
    assert loads(data)["error"]["message"] == "payload: no"
    assert isinstance(record, CallRecord) and record.code == ErrorCode.INVALID_PAYLOAD


@pytest.mark.asyncio
async def test_the_name_of_a_plugin_that_is_not_there_is_not_recorded(host: Host, steps: Steps) -> None:
    reply, _ = await respond(host, _call("echo", plugin="made up"), _encode)
    assert reply.error is not None and reply.error["code"] == ErrorCode.UNKNOWN_PLUGIN
    (record,) = steps.taken
    assert isinstance(record, CallRecord) and record.service == "unknown"
