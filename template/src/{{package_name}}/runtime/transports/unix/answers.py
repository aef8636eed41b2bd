"""From a message of either version of the protocol to its answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ....contract import plugin_service_pb2 as v1
from ....contract import plugin_stream_pb2 as v2
from ...calls import HookReply, Overloaded, Unrepresentable
from ...codecs import protobuf, stream
from ...codecs.frames import MAX_FRAME
from ...errors import ErrorCode

if TYPE_CHECKING:
    from ...host import Host


class Answers:
    """Has calls answered by the host.

    Args:
        host: the host.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    async def serial(self, data: bytes) -> tuple[bytes, bool]:
        """Answer a request of version 1, whose kind shows in the fields that are set.

        Returns:
            The answer, and whether the connection may go on.

        Raises:
            DecodeError: the bytes are no request.
        """
        # GetPluginConfigRequest has its name where a hook call has its hook, and GetPluginConfigsRequest is empty.
        request = v1.InvokeHookRequest.FromString(data)
        if not (request.plugin_name or request.HasField("payload") or request.HasField("context")):
            return self._serial_configs(request.hook_type), True
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

    async def stream(self, frame: v2.ClientFrame, size: int) -> bytes:
        """Answer a call of version 2.

        Args:
            frame: the call.
            size: its bytes.
        """
        kind = frame.WhichOneof("kind")
        if kind == "invoke":
            return await self._stream_hook(frame, size)
        if kind == "get_config":
            return stream.write_config(frame.id, self._host.plugin_config(frame.get_config.name))
        if kind == "get_configs":
            return stream.write_configs(frame.id, self._host.plugin_configs())
        if kind == "check_health":
            name = frame.check_health.plugin_name
            return stream.write_health(frame.id, self._host.plugin_serving(name) if name else self._host.ready)
        return stream.write_unknown_request(frame.id)

    def _serial_configs(self, name: str) -> bytes:
        if name:
            return protobuf.write_config(self._host.plugin_config(name))
        return protobuf.write_configs(self._host.plugin_configs())

    async def _stream_hook(self, frame: v2.ClientFrame, size: int) -> bytes:
        write = partial(stream.write_reply, frame.id)
        try:
            return await self._host.answer(stream.read_call(frame.invoke, "unix", size), write)
        except stream.Unreadable as problem:
            return self._host.refuse(problem.call, problem.code, str(problem), write)
        except Overloaded as refusal:
            return write(refusal.reply)
