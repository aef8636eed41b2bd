"""From a frame of version 2 of the protocol to its answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...codec import unix_v2 as stream
from ...contract import plugin_stream_pb2 as pb
from ...host.messages import OverloadedError
from ...host.respond import refuse, respond

if TYPE_CHECKING:
    from ...host.host import Host


class StreamAnswers:
    """Has calls answered by the host.

    Args:
        host: the host.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    async def answer(self, frame: pb.ClientFrame, size: int) -> bytes:
        """Answer a call.

        Args:
            frame: the call.
            size: its bytes.
        """
        kind = frame.WhichOneof("kind")
        if kind == "invoke":
            return await self._hook(frame, size)
        if kind == "get_config":
            return stream.write_config(frame.id, self._host.plugin_config(frame.get_config.name))
        if kind == "get_configs":
            return stream.write_configs(frame.id, self._host.plugin_configs())
        if kind == "check_health":
            name = frame.check_health.plugin_name
            return stream.write_health(frame.id, self._host.plugin_serving(name) if name else self._host.ready)
        return stream.write_unknown_request(frame.id)

    async def _hook(self, frame: pb.ClientFrame, size: int) -> bytes:
        encode = partial(stream.write_reply, frame.id)
        try:
            call = stream.read_call(frame.invoke, "unix", size)
        except stream.CallDecodeError as error:
            return refuse(self._host, error.call, error.code, str(error), encode)
        try:
            _, data = await respond(self._host, call, encode)
        except OverloadedError as error:
            return encode(error.reply)
        return data
