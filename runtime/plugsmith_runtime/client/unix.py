"""A client of the Unix socket: version 2 of the protocol, and version 1 with servers that know no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ..codec import plugin_service as v1_codec
from ..codec import unix_v2_client as v2_codec
from ..contract import plugin_service_pb2 as pb
from ..errors import RequestNotSentError
from ..net.deadlines import DeadlineExceededError, Deadlines
from ..unix_stream.v1_client import V1ConnectionPool
from ..unix_stream.v2_client import UnsupportedVersionError, V2ClientConnection

if TYPE_CHECKING:
    from . import ClientTls

T = TypeVar("T")


class UnixClient:
    """Any number of calls at the same time; make it with `connect`.

    A lost connection fails the calls in flight, and the next call connects again. An answer never reaches another call
    than its own, and a call that is cancelled or runs out of time stops its hook. Whether a call that failed may be
    made again shows in the error: after RequestNotSentError its hook was not run; after any other ConnectionError, and
    after TimeoutError, it may have been.

    With a server that knows only version 1 there is one call in flight on each of up to 16 connections, and a call that
    runs out of time closes its connection.

    Args:
        path: the socket.
        timeout: seconds that a call may take, a new connection included.
    """

    def __init__(self, path: str, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._deadlines = Deadlines(timeout)
        self._opening = asyncio.Lock()
        self._session: _V2Session | _V1Session | None = None

    @classmethod
    async def connect(cls, endpoint: str, tls: ClientTls | None = None, timeout: float = 30.0) -> UnixClient:
        """Connect.

        Args:
            endpoint: "unix://" and the path of the socket.
            tls: not used: a Unix socket is guarded by its file mode.
            timeout: seconds that a call, and the connection, may take.

        Raises:
            TimeoutError: the server did not say which version it speaks.
            OSError: nobody listens there.
        """
        client = cls(endpoint.removeprefix("unix://"), timeout)
        async with asyncio.timeout(timeout):
            client._session = await client._open()
        return client

    @property
    def usable(self) -> bool:
        """Whether the connection stands; the next call of one that does not connects again."""
        return self._session is not None and self._session.usable

    @property
    def version(self) -> int:
        """The version of the protocol that the server speaks, 1 or 2; 0 while there is no connection."""
        return 0 if self._session is None else 2 if isinstance(self._session, _V2Session) else 1

    async def invoke(
        self,
        hook: str,
        plugin: str,
        payload: Any,
        context: dict[str, Any] | None,
        trace: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run a hook and return plugin_name, result or error, and context when it carries anything.

        Args:
            hook: the hook's wire name.
            plugin: the plugin's name.
            payload: the hook's payload.
            context: the plugin context.
            trace: the caller's traceparent and tracestate; version 1 has no place for them.

        Raises:
            RequestNotSentError: no connection can be had; the hook was not run.
            ConnectionError: the connection was lost while the call was in flight; the hook may have run.
            TimeoutError: no answer came in time; the hook is stopped but may have run.
            EncodeError: payload or context cannot be written without changing them.
            ValueError: the call is larger than the server reads.
        """
        return await self._call(lambda session: session.invoke(hook, plugin, payload, context, trace))

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins; errors as in `invoke`."""
        return await self._call(lambda session: session.plugin_configs())

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin, None when the server has no such plugin; errors as in `invoke`."""
        return await self._call(lambda session: session.plugin_config(name))

    async def serving(self, plugin: str = "") -> bool | None:
        """Return whether a plugin, or the server, answers calls; None when it has no such plugin."""
        return await self._call(lambda session: session.serving(plugin))

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    async def _call(self, ask: Callable[[_V2Session | _V1Session], Awaitable[T]]) -> T:
        try:
            return await self._deadlines.run(self._ask(ask))
        except DeadlineExceededError:
            raise TimeoutError(f"no answer within {self._timeout:g} s") from None

    async def _ask(self, ask: Callable[[_V2Session | _V1Session], Awaitable[T]]) -> T:
        try:
            return await ask(await self._connected())
        except RequestNotSentError:
            # The server closed the connection, for example to restart: once more on a new one.
            return await ask(await self._connected())

    async def _connected(self) -> _V2Session | _V1Session:
        session = self._session
        if session is not None and session.usable:
            return session
        async with self._opening:
            if not self.usable:
                if self._session is not None:
                    self._session.close()
                try:
                    self._session = await self._open()
                except OSError as error:
                    raise RequestNotSentError(f"{self._path}: {error.strerror or error}") from error
            assert self._session is not None
            return self._session

    async def _open(self) -> _V2Session | _V1Session:
        try:
            return _V2Session(await V2ClientConnection.open(self._path, v2_codec))
        except UnsupportedVersionError:
            return _V1Session(await V1ConnectionPool.open(self._path))


class _V1Session:
    """Calls in version 1. A trace, `user_context` and `content_type` have no place in it."""

    def __init__(self, pool: V1ConnectionPool) -> None:
        self._pool = pool
        self.close = pool.close

    @property
    def usable(self) -> bool:
        return self._pool.usable

    async def invoke(
        self,
        hook: str,
        plugin: str,
        payload: Any,
        context: dict[str, Any] | None,
        trace: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        request = v1_codec.write_request(hook, plugin, payload, context)
        answer = await self._pool.request(request.SerializeToString())
        return v1_codec.read_reply(pb.InvokeHookResponse.FromString(answer))

    async def plugin_configs(self) -> list[dict[str, Any]]:
        answer = await self._pool.request(pb.GetPluginConfigsRequest().SerializeToString())
        return v1_codec.read_configs(pb.GetPluginConfigsResponse.FromString(answer))

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        answer = await self._pool.request(pb.GetPluginConfigRequest(name=name).SerializeToString())
        return v1_codec.read_config(pb.GetPluginConfigResponse.FromString(answer))

    async def serving(self, plugin: str) -> bool | None:
        """Whether a plugin is there: version 1 cannot say more."""
        if plugin:
            return True if await self.plugin_config(plugin) is not None else None
        return bool(await self.plugin_configs())


class _V2Session:
    """Calls in version 2."""

    def __init__(self, connection: V2ClientConnection) -> None:
        self._connection = connection
        self.close = connection.close

    @property
    def usable(self) -> bool:
        return self._connection.usable

    async def invoke(
        self,
        hook: str,
        plugin: str,
        payload: Any,
        context: dict[str, Any] | None,
        trace: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        request = v2_codec.write_invoke(hook, plugin, payload, context, trace)
        return v2_codec.read_reply(plugin, await self._connection.request(request))

    async def plugin_configs(self) -> list[dict[str, Any]]:
        return v2_codec.read_configs(await self._connection.request(v2_codec.write_get_configs()))

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        return v2_codec.read_config(await self._connection.request(v2_codec.write_get_config(name)))

    async def serving(self, plugin: str) -> bool | None:
        return v2_codec.read_health(await self._connection.request(v2_codec.write_check_health(plugin)))
