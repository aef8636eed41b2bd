"""The handler of version 2 of the Unix protocol: from a frame to the frame that answers it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..codec import unix_v2 as codec
from ..contract import plugin_stream_pb2 as pb
from ..host.messages import CallDecodeError, OverloadedError
from ..host.respond import refuse, respond

if TYPE_CHECKING:
    from ..host.host import Host


class V2Handler:
    """Answers the requests of a connection.

    Args:
        host: runs the hooks.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    async def answer(self, frame: pb.ClientFrame, size: int) -> bytes:
        """Answer a request.

        Args:
            frame: the request.
            size: its bytes.
        """
        kind = frame.WhichOneof("kind")
        if kind == "invoke":
            return await self._invoke(frame, size)
        if kind == "get_config":
            return codec.write_config(frame.id, self._host.plugin_entry(frame.get_config.name))
        if kind == "get_configs":
            return codec.write_configs(frame.id, self._host.plugin_entries())
        if kind == "check_health":
            name = frame.check_health.plugin_name
            return codec.write_health(frame.id, self._host.plugin_serving(name) if name else self._host.ready)
        return codec.write_unknown_request(frame.id)

    async def _invoke(self, frame: pb.ClientFrame, size: int) -> bytes:
        encode = partial(codec.write_reply, frame.id)
        try:
            call = codec.read_call(frame.invoke, "unix", size)
        except CallDecodeError as error:
            return refuse(self._host, error, encode)
        try:
            _, data = await respond(self._host, call, encode)
        except OverloadedError as error:
            return encode(error.reply)
        return data
