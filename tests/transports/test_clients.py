"""The runtime's own clients of the protobuf transports, which `call` and `demo` use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.serving import Served

CONTEXT = {
    "global_context": {"request_id": "r", "user": {"email": "a@example.com"}, "server_id": None, "state": {"x": 1}},
    "state": {"calls": 4},
    "metadata": {},
}


def with_client(modules: Any, endpoint: str, use: Callable[[Any], Awaitable[Any]], timeout: float = 10.0) -> Any:
    async def main() -> Any:
        client = await modules("runtime.client").connect(endpoint, timeout=timeout)
        try:
            return await use(client)
        finally:
            await client.close()

    return asyncio.run(main())


@pytest.fixture(params=["unix", "grpc", "grpc+unix"])
def endpoint(request: pytest.FixtureRequest, served: Served) -> str:
    return served.endpoints[request.param]


def test_a_client_sees_what_was_answered(modules: Any, endpoint: str) -> None:
    async def use(client: Any) -> list[Any]:
        payload = {"name": "echo", "args": {"n": 2**53, "half": 0.5}}
        return [
            await client.plugin_configs(),
            await client.plugin_config("probe"),
            await client.plugin_config("nobody"),
            await client.invoke("tool_pre_invoke", "Probe", payload, CONTEXT),
            await client.invoke("tool_pre_invoke", "Probe", {"name": "deliberate"}, None),
            await client.invoke("tool_pre_invoke", "Probe", {"name": "violation"}, None),
        ]

    configs, probe, nobody, echo, error, violation = with_client(modules, endpoint, use)
    assert [config["name"] for config in configs] == ["WordGuard", "Probe"]
    assert (probe["version"], nobody) == ("1.2.3", None)
    assert echo["result"]["modified_payload"]["args"] == {"n": 2**53, "half": 0.5}
    assert echo["context"]["state"] == {"calls": 5}
    assert echo["context"]["global_context"]["state"] == {"x": 1, "seen": "echo"}
    assert (error["error"]["code"], error["error"]["details"]) == ("UPSTREAM", {"tries": 3})
    assert violation["result"]["denial_metadata"] == {"n": 2**60, "f": 2.0, "b": True}


def test_a_call_that_ran_out_of_time_leaves_no_answer_behind(modules: Any, endpoint: str) -> None:
    async def use(client: Any) -> Any:
        with pytest.raises(TimeoutError):
            await client.invoke("tool_pre_invoke", "Probe", {"name": "sleep", "args": {"seconds": 1}}, None)
        return await client.invoke("tool_pre_invoke", "Probe", {"name": "echo", "args": {"n": 1}}, None)

    reply = with_client(modules, endpoint, use, timeout=0.5)
    assert reply["result"]["modified_payload"]["args"] == {"n": 1}


def test_a_payload_that_cannot_travel_is_not_sent(modules: Any, endpoint: str) -> None:
    async def use(client: Any) -> None:
        await client.invoke("tool_pre_invoke", "Probe", {"name": "echo", "args": {"n": float("nan")}}, None)

    with pytest.raises(modules("runtime.errors").EncodeError, match=r"payload\.args\.n: NaN is not JSON"):
        with_client(modules, endpoint, use)


@pytest.mark.parametrize("nowhere", ["unix:///nonexistent/u.sock", "grpc://127.0.0.1:1", "grpc+unix:///nonexistent/g"])
def test_nobody_there_is_an_os_error(modules: Any, nowhere: str) -> None:
    async def use(client: Any) -> None:
        raise AssertionError("connected")

    with pytest.raises(OSError, match=r"nobody answers|No such file"):
        with_client(modules, nowhere, use)
