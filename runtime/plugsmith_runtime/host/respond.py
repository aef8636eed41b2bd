"""The response to a call, the same for every transport: run the hook, encode the reply, send it, record the call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from ..errors import EncodeError
from ..observability.calls import Outcome
from .host import Host
from .messages import CallDecodeError, HookCall, HookReply, OverloadedError
from .replies import encode_error_reply, error_reply

Encode = Callable[[HookReply], bytes]
"""Writes a reply in the transport's format, and does nothing else. It may raise EncodeError for a result."""

Send = Callable[[bytes], None]
"""Hands bytes to the connection."""


async def respond(host: Host, call: HookCall, encode: Encode, send: Send | None = None) -> tuple[HookReply, bytes]:
    """Run a hook and encode its reply.

    Args:
        host: runs the hook.
        call: the call; whatever is wrong with it becomes an error reply.
        encode: the transport's encoder.
        send: takes the answer before the call is recorded, which the caller, on another core, need not wait for.

    Returns:
        The reply that was encoded, and its bytes.

    Raises:
        OverloadedError: too many hooks are running; this one was not begun.
    """
    began = perf_counter()
    try:
        reply = await host.call(call)
    except OverloadedError as error:
        host.record(call, *error.reply.outcome(), began, 0)
        raise
    except asyncio.CancelledError:
        host.record(call, Outcome.CANCELLED, "", began, 0)
        raise
    try:
        data = encode(reply)
    except EncodeError as error:
        reply, data = _encode_again(call, reply, error, encode)
    if send is not None:
        send(data)
    host.record(call, *reply.outcome(), began, len(data))
    return reply, data


def refuse(host: Host, error: CallDecodeError, encode: Encode, send: Send | None = None) -> bytes:
    """Encode the reply to a call that could not be decoded.

    Args:
        host: records the call.
        error: the call, and what is wrong with it.
        encode: the transport's encoder.
        send: see `respond`.
    """
    began = perf_counter()
    reply = error_reply(error.call, error.code, str(error))
    data = encode(reply)
    if send is not None:
        send(data)
    host.record(error.call, *reply.outcome(), began, len(data))
    return data


def _encode_again(call: HookCall, reply: HookReply, error: EncodeError, encode: Encode) -> tuple[HookReply, bytes]:
    """Encode what a reply becomes once its values are turned into JSON data, or why that is not possible."""
    if reply.to_json is not None:
        # The plugin may have put in what has a JSON form without being JSON, such as dates and models of its own.
        try:
            reply = reply.to_json()
            return reply, encode(reply)
        except EncodeError as second:
            error = second
    reply = encode_error_reply(call, error)
    return reply, encode(reply)
