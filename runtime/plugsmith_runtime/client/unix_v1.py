"""Version 1 of the Unix protocol: one call in flight on each connection."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ..codec.plugin_service_client import read_config, read_configs, read_reply, write_request
from ..contract import plugin_service_pb2 as pb
from ..unix_stream.length_prefix import HEADER, MAX_FRAME, frame
from . import RequestNotSentError

_CONNECTIONS = 16

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SerialSession:
    """Keeps a connection for each call in flight, up to a number; further calls wait for their turn.

    A call that gets no answer closes its connection, so that no later call can take that answer for its own.

    Args:
        path: the socket.
    """

    def __init__(self, path: str) -> None:
        self._closed = False
        self._path = path
        self._idle: list[_Streams] = []
        self._turns = asyncio.Semaphore(_CONNECTIONS)

    @classmethod
    async def open(cls, path: str) -> SerialSession:
        """Connect.

        Raises:
            OSError: nobody listens there.
        """
        session = cls(path)
        session._idle.append(await asyncio.open_unix_connection(path))
        return session

    @property
    def usable(self) -> bool:
        """Whether further calls may be made; not once the server has closed a connection: it may be another one now."""
        return not self._closed and not any(reader.at_eof() for reader, _ in self._idle)

    async def invoke(
        self,
        hook: str,
        plugin: str,
        payload: Any,
        context: dict[str, Any] | None,
        trace: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run a hook; see UnixClient. The trace, `user_context` and `content_type` have no place in version 1."""
        request = write_request(hook, plugin, payload, context)
        return read_reply(pb.InvokeHookResponse.FromString(await self._ask(request.SerializeToString())))

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins."""
        request = pb.GetPluginConfigsRequest()
        return read_configs(pb.GetPluginConfigsResponse.FromString(await self._ask(request.SerializeToString())))

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin."""
        request = pb.GetPluginConfigRequest(name=name)
        return read_config(pb.GetPluginConfigResponse.FromString(await self._ask(request.SerializeToString())))

    async def serving(self, plugin: str) -> bool | None:
        """Return whether a plugin is there: version 1 cannot say more."""
        if plugin:
            return True if await self.plugin_config(plugin) is not None else None
        return bool(await self.plugin_configs())

    def close(self) -> None:
        """Close the connections that no call uses; the others end with their calls."""
        self._closed = True
        while self._idle:
            self._idle.pop()[1].close()

    async def _ask(self, request: bytes) -> bytes:
        """Make a call.

        Raises:
            RequestNotSentError: no connection can be had, and the call was not sent.
            ConnectionError: the connection was lost while the call was in flight.
            ValueError: the call is larger than a message may be.
        """
        if len(request) > MAX_FRAME:
            raise ValueError(f"the call takes {len(request)} bytes, a Unix socket's message at most {MAX_FRAME}")
        async with self._turns:
            reader, writer = await self._connection()
            try:
                writer.write(frame(request))
                await writer.drain()
                size = int.from_bytes(await reader.readexactly(HEADER), "big")
                if size > MAX_FRAME:
                    raise ConnectionError(f"the server sends a message of {size} bytes")
                answer = await reader.readexactly(size)
            except asyncio.IncompleteReadError as error:
                writer.close()
                self.close()
                raise ConnectionResetError("the connection was lost while the call was in flight") from error
            except BaseException as error:
                # Also when the caller was cancelled: the answer may still come, and must not be read as another's.
                writer.close()
                if isinstance(error, OSError):
                    self.close()
                raise
            if self._closed:
                writer.close()
            else:
                self._idle.append((reader, writer))
            return answer

    async def _connection(self) -> _Streams:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        try:
            return await asyncio.open_unix_connection(self._path)
        except OSError as error:
            self.close()
            raise RequestNotSentError(f"{self._path}: {error.strerror}") from error
