"""From a message of version 1 of the protocol to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....contract import plugin_service_pb2 as pb
from ...calls import HookReply, Overloaded, Unrepresentable
from ...codecs import protobuf
from ...codecs.frames import MAX_FRAME
from ...errors import ErrorCode

if TYPE_CHECKING:
    from ...host import Host


class SerialAnswers:
    """Has calls answered by the host.

    Args:
        host: the host.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    async def answer(self, data: bytes) -> tuple[bytes, bool]:
        """Answer a request, whose kind shows in the fields that are set.

        Returns:
            The answer, and whether the connection may go on.

        Raises:
            DecodeError: the bytes are no request.
        """
        # GetPluginConfigRequest has its name where a hook call has its hook, and GetPluginConfigsRequest is empty.
        request = pb.InvokeHookRequest.FromString(data)
        if not (request.plugin_name or request.HasField("payload") or request.HasField("context")):
            return self._configs(request.hook_type), True
        overrun = False

        def write(reply: HookReply) -> bytes:
            nonlocal overrun
            overrun = reply.error is not None and reply.error["code"] == ErrorCode.HOOK_TIMEOUT
            written = protobuf.write_reply(reply)
            if len(written) > MAX_FRAME:
                raise Unrepresentable("result", f"{len(written)} bytes are more than the {MAX_FRAME} of a message")
            return written

        size = len(data)
        try:
            call = protobuf.read_call(request, "unix", size=size)
            written = await self._host.answer(call, write)
        except Unrepresentable as problem:
            refused, code = protobuf.unreadable(request, problem, "unix", size=size)
            return self._host.refuse(refused, code, str(problem), write), True
        except Overloaded as refusal:
            return write(refusal.reply), True
        # A caller with less patience than the hook has given up by now, and takes the next answer for another's.
        return written, not overrun

    def _configs(self, name: str) -> bytes:
        if name:
            return protobuf.write_config(self._host.plugin_config(name))
        return protobuf.write_configs(self._host.plugin_configs())
