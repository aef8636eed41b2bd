"""Reflection in both roles: the client against grpcio's server and odd ones, both versions against the runtime's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any

import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2
from plugsmith_runtime.contract import plugin_service_pb2
from plugsmith_runtime.contract.google.protobuf import struct_pb2
from plugsmith_runtime.grpc.channel import Channel
from plugsmith_runtime.grpc.reflection import METHOD, REFLECTION_V1, REFLECTION_V1ALPHA, Reflection
from plugsmith_runtime.grpc.reflection_client import ReflectionClient, ReflectionError
from plugsmith_runtime.grpc.server_call import ServerCall
from plugsmith_runtime.grpc.service import Service, stream_stream
from plugsmith_runtime.grpc.status import StatusError

from .kinds import LIMIT, own_server

pytestmark = pytest.mark.asyncio

HEALTH = "grpc.health.v1.Health"
Request, Response = reflection_pb2.ServerReflectionRequest, reflection_pb2.ServerReflectionResponse


def file(name: str, *dependencies: str, package: str = "") -> FileDescriptorProto:
    return FileDescriptorProto(name=name, dependency=dependencies, package=package, syntax="proto3")


def served_files() -> Iterable[FileDescriptorProto]:
    for module in (struct_pb2, plugin_service_pb2, health_pb2):
        yield FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)


def odd_service(name: str, answers: dict[str, list[FileDescriptorProto]]) -> Service:
    """Reflection that answers with given files, by symbol or file name."""

    async def info(requests: AsyncIterator[Any], call: ServerCall) -> AsyncGenerator[Any, None]:
        async for request in requests:
            response = Response()
            found = answers.get(request.file_containing_symbol or request.file_by_filename)
            if found is None:
                response.error_response.error_message = "no such thing"
            else:
                files = [one.SerializeToString() for one in found]
                response.file_descriptor_response.file_descriptor_proto.extend(files)
            yield response

    method = stream_stream(METHOD, info, Request.FromString, Response.SerializeToString)
    return Service(name, [method])


async def collect(services: list[Service], *symbols: str) -> list[str]:
    """The names of the files that a client finds."""
    async with own_server(services) as (_, target), Channel(target) as channel:
        files = await ReflectionClient(channel, LIMIT).file_descriptors(symbols)
        return [one.name for one in files]


async def test_grpcio_which_has_v1alpha_only() -> None:
    server = grpc.aio.server()
    reflection.enable_server_reflection([HEALTH, reflection.SERVICE_NAME], server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with Channel(f"127.0.0.1:{port}") as channel:
            client = ReflectionClient(channel, LIMIT)
            assert sorted(await client.list_services()) == [HEALTH, reflection.SERVICE_NAME]
            files = await client.file_descriptors([HEALTH, reflection.SERVICE_NAME])
            assert {one.name for one in files} == {
                health_pb2.DESCRIPTOR.name, reflection_pb2.DESCRIPTOR.name
            }  # fmt: skip
            with pytest.raises(ReflectionError, match=r"no answer about no\.such\.Service"):
                await client.file_descriptors(["no.such.Service"])
    finally:
        await server.stop(0)


async def test_the_runtimes_own_server_serves_both_versions() -> None:
    names = ["cpex.PluginService", HEALTH, REFLECTION_V1, REFLECTION_V1ALPHA]
    reflected = Reflection(names, served_files)
    found = []
    for service in reflected.services():
        async with own_server([service]) as (_, target), Channel(target) as channel:
            client = ReflectionClient(channel, LIMIT)
            assert await client.list_services() == names
            found.append(await client.file_descriptors(names))
    assert found[0] == found[1]
    pool = DescriptorPool()
    for one in found[0]:
        pool.Add(one)
    for name in names:
        assert pool.FindServiceByName(name).full_name == name


async def test_imports_that_are_not_sent_along_are_asked_for() -> None:
    answers = {
        "a.A": [file("a.proto", "b.proto", "c.proto")],
        "b.proto": [file("b.proto", "c.proto")],
        "c.proto": [file("c.proto")],
    }
    assert await collect([odd_service(REFLECTION_V1, answers)], "a.A") == ["c.proto", "b.proto", "a.proto"]


async def test_files_that_come_in_any_order_and_twice() -> None:
    parts = [file("c.proto"), file("a.proto", "b.proto"), file("b.proto", "c.proto"), file("c.proto")]
    found = await collect([odd_service(REFLECTION_V1ALPHA, {"a.A": parts})], "a.A", "a.A")
    assert found == ["c.proto", "b.proto", "a.proto"]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"a.A": [file("a.proto"), file("a.proto", package="other")]}, "a.proto comes with two contents"),
        ({"a.A": [file("a.proto", "b.proto")]}, "no answer about file b.proto: no such thing"),
        ({"a.A": [file("a.proto", "b.proto")], "b.proto": [file("c.proto")]}, "asked for file b.proto"),
        ({"a.A": [file("a.proto", "b.proto"), file("b.proto", "a.proto")]}, "imports itself"),
    ],
)
async def test_files_that_make_no_sense(answers: dict[str, list[FileDescriptorProto]], told: str) -> None:
    with pytest.raises(ReflectionError, match=told):
        await collect([odd_service(REFLECTION_V1, answers)], "a.A")


async def test_a_chain_of_imports_of_any_length() -> None:
    count = 3000
    chain = [file(f"{number}.proto", f"{number + 1}.proto") for number in range(count)] + [file(f"{count}.proto")]
    found = await collect([odd_service(REFLECTION_V1, {"a.A": chain})], "a.A")
    assert found == [f"{number}.proto" for number in reversed(range(count + 1))]


async def test_a_server_without_reflection_or_answers() -> None:
    with pytest.raises(StatusError, match="UNIMPLEMENTED"):
        await collect([], "a.A")

    async def silent(requests: AsyncIterator[bytes], call: ServerCall) -> AsyncGenerator[bytes, None]:
        await asyncio.Event().wait()
        yield b""

    services = [Service(REFLECTION_V1, [stream_stream(METHOD, silent)])]
    async with own_server(services) as (_, target), Channel(target) as channel:
        with pytest.raises(StatusError, match="DEADLINE_EXCEEDED"):
            await ReflectionClient(channel, timeout=0.2).list_services()
