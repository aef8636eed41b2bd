"""The standard health service in place: Check, List and Watch as grpcio's client sees them."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from plugsmith_runtime.grpc.health import HEALTH, Health

from .kinds import LIMIT, own_server

pytestmark = pytest.mark.asyncio

# Two packages have types of grpcio, of different versions: what they disagree about is left open.
aio: Any = grpc.aio

SERVING, NOT_SERVING, UNKNOWN = (
    health_pb2.HealthCheckResponse.SERVING,
    health_pb2.HealthCheckResponse.NOT_SERVING,
    health_pb2.HealthCheckResponse.SERVICE_UNKNOWN,
)


class States(dict[str, bool]):
    """States that tests change."""

    def names(self) -> list[str]:
        """See HealthStates."""
        return list(self)

    def serving(self, name: str) -> bool | None:
        """See HealthStates."""
        return self.get(name)


def list_response() -> Any:
    """HealthListResponse, which grpcio-health-checking does not have yet: map<string, HealthCheckResponse> statuses."""
    file = FileDescriptorProto(name="list.proto", package="test", syntax="proto3")
    file.dependency.append(health_pb2.DESCRIPTOR.name)
    message = file.message_type.add(name="HealthListResponse")
    entry = message.nested_type.add(name="StatusesEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=FieldDescriptorProto.TYPE_STRING, label=1)
    value = ".grpc.health.v1.HealthCheckResponse"
    entry.field.add(name="value", number=2, type=FieldDescriptorProto.TYPE_MESSAGE, label=1, type_name=value)
    of = ".test.HealthListResponse.StatusesEntry"
    message.field.add(name="statuses", number=1, type=FieldDescriptorProto.TYPE_MESSAGE, label=3, type_name=of)
    pool = DescriptorPool()
    pool.AddSerializedFile(health_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("test.HealthListResponse"))


async def ask(states: States, method: str, name: str = "") -> Any:
    request = health_pb2.HealthCheckRequest(service=name)
    async with (
        own_server([Health(states, "thing").service()]) as (_, target),
        aio.insecure_channel(target) as channel,
    ):
        call: Any = channel.unary_unary(f"/{HEALTH}/{method}")
        return await call(request.SerializeToString(), timeout=LIMIT)


async def test_check() -> None:
    states = States({"": True, "a.B": False})
    assert health_pb2.HealthCheckResponse.FromString(await ask(states, "Check")).status == SERVING
    assert health_pb2.HealthCheckResponse.FromString(await ask(states, "Check", "a.B")).status == NOT_SERVING
    with pytest.raises(grpc.aio.AioRpcError, match="this server has no thing 'x'") as unknown:
        await ask(states, "Check", "x")
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


async def test_list() -> None:
    states = States({"": True, "a.B": False, "é" * 200: True})
    told = list_response().FromString(await ask(states, "List")).statuses
    assert {name: state.status for name, state in told.items()} == {"": 1, "a.B": 2, "é" * 200: 1}
    assert list_response().FromString(await ask(States(), "List")).statuses == {}
    with pytest.raises(grpc.aio.AioRpcError) as many:
        await ask(States({str(number): True for number in range(101)}), "List")
    assert many.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_watch() -> None:
    states = States({"a": True})
    health = Health(states)
    async with (
        own_server([health.service()]) as (_, target),
        aio.insecure_channel(target) as channel,
        asyncio.timeout(LIMIT),
    ):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        known = stub.Watch(health_pb2.HealthCheckRequest(service="a"))
        unknown = stub.Watch(health_pb2.HealthCheckRequest(service="b"))
        assert [(await call.read()).status for call in (known, unknown)] == [SERVING, UNKNOWN]
        # Nothing has changed, so nothing is told.
        health.notify()
        states |= {"a": False, "b": True}
        health.notify()
        assert [(await call.read()).status for call in (known, unknown)] == [NOT_SERVING, SERVING]
        states["a"] = True
        health.end()
        assert (await known.read()).status == SERVING
        assert [await call.read() for call in (known, unknown)] == [aio.EOF] * 2
