"""The handler of version 1: from a request's bytes to those of its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError as ProtobufDecodeError

from ...codec.plugin_service import read_call, write_config, write_configs, write_reply
from ...contract import plugin_service_pb2 as pb
from ...errors import DecodeError, EncodeError
from ...host.errors import ErrorCode
from ...host.messages import CallDecodeError, HookReply, OverloadedError
from ...host.respond import Send, refuse, respond
from ...unix_stream.framing import MAX_FRAME_BYTES

if TYPE_CHECKING:
    from ...host.host import Host


class V1Handler:
    """Answers the requests of all connections.

    Args:
        host: runs the hooks.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    async def answer(self, data: bytes, send: Send) -> bool:
        """Answer a request, whose kind shows in the fields that are set.

        Args:
            data: the request.
            send: takes the answer. It is called as soon as the answer is encoded: the caller reads it on another core
                while the call is recorded here.

        Returns:
            Whether the connection may go on.

        Raises:
            DecodeError: the bytes are no request.
        """
        # GetPluginConfigRequest has its name where a hook call has its hook, and GetPluginConfigsRequest is empty.
        try:
            request = pb.InvokeHookRequest.FromString(data)
        except ProtobufDecodeError as error:
            raise DecodeError(str(error)) from None
        if not (request.plugin_name or request.HasField("payload") or request.HasField("context")):
            send(self._configs(request.hook_type))
            return True
        try:
            call = read_call(request, "unix", size=len(data))
        except CallDecodeError as error:
            refuse(self._host, error, _encode, send)
            return True
        try:
            reply, _ = await respond(self._host, call, _encode, send)
        except OverloadedError as error:
            send(_encode(error.reply))
            return True
        # A caller with less patience than the hook has given up by now, and takes the next answer for another's.
        return reply.error is None or reply.error["code"] != ErrorCode.HOOK_TIMEOUT

    def _configs(self, name: str) -> bytes:
        if name:
            return write_config(self._host.plugin_entry(name))
        return write_configs(self._host.plugin_entries())


def _encode(reply: HookReply) -> bytes:
    data = write_reply(reply)
    if len(data) > MAX_FRAME_BYTES:
        raise EncodeError("result", f"{len(data)} bytes are more than the {MAX_FRAME_BYTES} of a message")
    return data
