"""Services of a gRPC server: their names, methods, and the handlers of the four kinds of call.

A handler is given the request, or an asynchronous iterator of the requests, and the call, which holds metadata,
deadline and peer. It returns the response, or is an asynchronous generator of the responses. To end the call with
another status than OK it raises StatusError. Messages are bytes, or what the method's (de)serializers make of them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from ..http2.hpack import Fields
from ..http2.stream import Stream, StreamHandler
from .server_call import CallLimits, ServerCall, StreamingCall, UnaryCall
from .status import StatusCode, StatusError

Req = TypeVar("Req")
Res = TypeVar("Res")

CallFactory = Callable[[Stream, Fields, CallLimits], StreamHandler]
"""Makes the call of a request; may raise StatusError."""


@dataclass(frozen=True, slots=True)
class Method:
    """Method of a service; made by `unary_unary`, `unary_stream`, `stream_unary` or `stream_stream`.

    Attributes:
        name: its name in the service.
        call_factory: makes its calls.
    """

    name: str
    call_factory: CallFactory


@dataclass(frozen=True, slots=True)
class Service:
    """Service that a server offers.

    Attributes:
        name: its full name, for example "grpc.health.v1.Health".
        methods: its methods.
    """

    name: str
    methods: Sequence[Method]


def _identity(message: Any) -> Any:
    return message


def unary_unary(
    name: str,
    handler: Callable[[Req, ServerCall], Awaitable[Res]],
    deserializer: Callable[[bytes], Req] | None = None,
    serializer: Callable[[Res], bytes] | None = None,
) -> Method:
    """A method of one request and one response.

    Args:
        name: the method's name.
        handler: see the module.
        deserializer: makes a request of bytes; None to hand the bytes over.
        serializer: makes bytes of a response; None when it is bytes.
    """
    answer: Any = handler
    if deserializer or serializer:
        answer = partial(_unary_unary, handler, deserializer or _identity, serializer or _identity)
    return Method(name, partial(UnaryCall, handler=answer))


def unary_stream(
    name: str,
    handler: Callable[[Req, ServerCall], AsyncGenerator[Res, None]],
    deserializer: Callable[[bytes], Req] | None = None,
    serializer: Callable[[Res], bytes] | None = None,
) -> Method:
    """A method of one request and a stream of responses; arguments as in `unary_unary`."""
    run = partial(_unary_stream, handler, deserializer or _identity, serializer or _identity)
    return Method(name, partial(StreamingCall, handler=run))


def stream_unary(
    name: str,
    handler: Callable[[AsyncIterator[Req], ServerCall], Awaitable[Res]],
    deserializer: Callable[[bytes], Req] | None = None,
    serializer: Callable[[Res], bytes] | None = None,
) -> Method:
    """A method of a stream of requests and one response; arguments as in `unary_unary`."""
    run = partial(_stream_unary, handler, deserializer or _identity, serializer or _identity)
    return Method(name, partial(StreamingCall, handler=run))


def stream_stream(
    name: str,
    handler: Callable[[AsyncIterator[Req], ServerCall], AsyncGenerator[Res, None]],
    deserializer: Callable[[bytes], Req] | None = None,
    serializer: Callable[[Res], bytes] | None = None,
    half_close_on_drain: bool = False,
) -> Method:
    """A method of a stream each way; arguments as in `unary_unary`.

    Args:
        half_close_on_drain: whether the requests end when the server drains, for streams that never end by themselves.
    """
    run = partial(_stream_stream, handler, deserializer or _identity, serializer or _identity)
    return Method(name, partial(StreamingCall, handler=run, half_close_on_drain=half_close_on_drain))


async def _unary_unary(handler: Any, deserializer: Any, serializer: Any, data: bytes, call: ServerCall) -> Any:
    return serializer(await handler(_deserialized(deserializer, data), call))


async def _unary_stream(handler: Any, deserializer: Any, serializer: Any, call: StreamingCall) -> None:
    request = _deserialized(deserializer, await call.receive_single())
    await _send_all(handler(request, call), serializer, call)


async def _stream_unary(handler: Any, deserializer: Any, serializer: Any, call: StreamingCall) -> None:
    response = await handler(_requests(call, deserializer), call)
    await call.send(serializer(response))


async def _stream_stream(handler: Any, deserializer: Any, serializer: Any, call: StreamingCall) -> None:
    await _send_all(handler(_requests(call, deserializer), call), serializer, call)


async def _requests(call: StreamingCall, deserializer: Any) -> AsyncIterator[Any]:
    while (data := await call.receive()) is not None:
        yield _deserialized(deserializer, data)


async def _send_all(responses: Any, serializer: Any, call: StreamingCall) -> None:
    # A generator that is not exhausted, because the call was cancelled, is closed now and not when it is collected.
    async with aclosing(responses):
        async for response in responses:
            await call.send(serializer(response))


def _deserialized(deserializer: Any, data: bytes) -> Any:
    try:
        return deserializer(data)
    except StatusError:
        raise
    except Exception as error:
        raise StatusError(StatusCode.INVALID_ARGUMENT, f"the request cannot be read: {error}") from None
