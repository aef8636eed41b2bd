"""From a message of version 1 of the protocol to its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...codec import plugin_service as protobuf
from ...contract import plugin_service_pb2 as pb
from ...errors import EncodeError
from ...host.errors import ErrorCode
from ...host.messages import HookReply, OverloadedError
from ...host.respond import refuse, respond
from ...unix_stream.length_prefix import MAX_FRAME

if TYPE_CHECKING:
    from ...host.host import Host


class SerialAnswers:
    """Has calls answered by the host.

    Args:
        host: the host.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    async def answer(self, data: bytes, send: Callable[[bytes], None]) -> bool:
        """Answer a request, whose kind shows in the fields that are set.

        Args:
            data: the request.
            send: takes the answer. It is called as soon as the answer is written: the caller reads it on another core
                while the host takes down here how the call ended.

        Returns:
            Whether the connection may go on.

        Raises:
            DecodeError: the bytes are no request.
        """
        # GetPluginConfigRequest has its name where a hook call has its hook, and GetPluginConfigsRequest is empty.
        request = pb.InvokeHookRequest.FromString(data)
        if not (request.plugin_name or request.HasField("payload") or request.HasField("context")):
            send(self._configs(request.hook_type))
            return True
        size = len(data)
        try:
            call = protobuf.read_call(request, "unix", size=size)
        except EncodeError as error:
            refused, code = protobuf.unreadable(request, error, "unix", size=size)
            refuse(self._host, refused, code, str(error), _encode, send)
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
            return protobuf.write_config(self._host.plugin_config(name))
        return protobuf.write_configs(self._host.plugin_configs())


def _encode(reply: HookReply) -> bytes:
    data = protobuf.write_reply(reply)
    if len(data) > MAX_FRAME:
        raise EncodeError("result", f"{len(data)} bytes are more than the {MAX_FRAME} of a message")
    return data
