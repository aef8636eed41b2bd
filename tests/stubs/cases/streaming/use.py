"""A service with all four kinds of methods, called for real by both kinds of clients."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import grpc.aio

from .api.rpc import echo_pb2, echo_pb2_grpc
from .api.rpc.echo_pb2 import Text


class Echo(echo_pb2_grpc.EchoServicer):
    async def One(self, request: Text, context: object) -> Text:
        return request

    async def Answers(self, request: Text, context: object) -> AsyncIterator[Text]:
        for letter in request.text:
            yield Text(text=letter)

    async def Questions(self, request_iterator: AsyncIterator[Text], context: object) -> Text:
        return Text(text="".join([request.text async for request in request_iterator]))

    async def Talk(self, request_iterator: AsyncIterator[Text], context: object) -> AsyncIterator[Text]:
        async for request in request_iterator:
            yield Text(text=request.text.upper())


def questions() -> Iterator[Text]:
    yield from (Text(text="a"), Text(text="b"))


def ask(address: str) -> list[str]:
    with grpc.insecure_channel(address) as channel:
        stub = echo_pb2_grpc.EchoStub(channel)
        one = stub.One(Text(text="x"), timeout=10)
        answers = [answer.text for answer in stub.Answers(Text(text="yz"), timeout=10)]
        together = stub.Questions(questions(), timeout=10)
        talk = [answer.text for answer in stub.Talk(questions(), timeout=10)]
    return [one.text, *answers, together.text, *talk]


async def main() -> None:
    server = grpc.aio.server()
    echo_pb2_grpc.add_EchoServicer_to_server(Echo(), server)
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{Path(folder, 's')}"
        server.add_insecure_port(address)
        await server.start()
        assert await asyncio.to_thread(ask, address) == ["x", "y", "z", "ab", "A", "B"]
        async with grpc.aio.insecure_channel(address) as channel:
            stub = echo_pb2_grpc.EchoStub(channel)
            assert (await stub.One(Text(text="async"), timeout=10)).text == "async"
        await server.stop(None)


service = echo_pb2.DESCRIPTOR.services_by_name["Echo"]
assert [method.name for method in service.methods] == ["One", "Answers", "Questions", "Talk"]
asyncio.run(main())
