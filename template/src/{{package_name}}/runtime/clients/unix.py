"""A client of the length-prefixed Unix socket, version 1."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ...contract import plugin_service_pb2 as pb
from ..codecs.protobuf_client import read_config, read_configs, read_reply, write_request

if TYPE_CHECKING:
    from . import ClientTls

_HEADER = 4
_MAX_FRAME = 16 * 1024 * 1024


class UnixClient:
    """One connection with one call in flight; calls that come meanwhile wait for their turn.

    A call that runs out of time closes the connection, so that no later call can take its answer. The next call
    connects again.

    Args:
        path: the socket.
        timeout: seconds that a call may take.
    """

    def __init__(self, path: str, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @classmethod
    async def connect(cls, endpoint: str, tls: ClientTls | None = None, timeout: float = 30.0) -> UnixClient:
        """Connect.

        Args:
            endpoint: "unix://" and the path of the socket.
            tls: not used: a Unix socket is guarded by its file mode.
            timeout: seconds that a call may take.

        Raises:
            OSError: nobody listens there.
        """
        client = cls(endpoint.removeprefix("unix://"), timeout)
        client._streams = await asyncio.open_unix_connection(client._path)
        return client

    @property
    def usable(self) -> bool:
        """Whether the connection stands; the next call of one that does not connects again."""
        return self._streams is not None and not self._streams[0].at_eof()

    async def invoke(self, hook: str, plugin: str, payload: Any, context: dict[str, Any] | None) -> dict[str, Any]:
        """Run a hook and return plugin_name, result or error, and context when it carries anything.

        Raises:
            TimeoutError: no answer came in time.
            OSError: the connection is gone.
            Unrepresentable: payload or context cannot be written without changing them.
        """
        request = write_request(hook, plugin, payload, context)
        return read_reply(pb.InvokeHookResponse.FromString(await self._exchange(request.SerializeToString())))

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins; errors as in `invoke`."""
        request = pb.GetPluginConfigsRequest()
        return read_configs(pb.GetPluginConfigsResponse.FromString(await self._exchange(request.SerializeToString())))

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin, None when the server has no such plugin; errors as in `invoke`."""
        request = pb.GetPluginConfigRequest(name=name)
        return read_config(pb.GetPluginConfigResponse.FromString(await self._exchange(request.SerializeToString())))

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()

    async def _exchange(self, request: bytes) -> bytes:
        if len(request) > _MAX_FRAME:
            raise ValueError(f"the call takes {len(request)} bytes, a Unix socket's message at most {_MAX_FRAME}")
        async with self._turn:
            try:
                async with asyncio.timeout(self._timeout):
                    if self._streams is None:
                        self._streams = await asyncio.open_unix_connection(self._path)
                    reader, writer = self._streams
                    writer.write(len(request).to_bytes(_HEADER, "big") + request)
                    await writer.drain()
                    size = int.from_bytes(await reader.readexactly(_HEADER), "big")
                    return await reader.readexactly(size)
            except asyncio.IncompleteReadError as problem:
                await self.close()
                raise ConnectionResetError("the server closed the connection before it answered") from problem
            except BaseException:
                # Also when the caller was cancelled: the answer may still come, and must not be read as another's.
                await self.close()
                raise
