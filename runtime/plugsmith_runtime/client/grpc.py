"""A gRPC client, over TCP with or without TLS and over a Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio

from ..codec.plugin_service_client import read_config, read_configs, read_reply, write_request
from ..contract import plugin_service_pb2 as pb
from ..contract.plugin_service_pb2_grpc import PluginServiceStub
from ..errors import StartError

if TYPE_CHECKING:
    from . import ClientTls

T = TypeVar("T")

_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    # A server that is gone without a word is noticed, also while a call is in flight.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.use_local_subchannel_pool", 1),
]


class GrpcClient:
    """Any number of calls on one channel.

    Args:
        channel: the channel.
        timeout: seconds that a call may take.
    """

    def __init__(self, channel: grpc.aio.Channel, timeout: float) -> None:
        self._channel = channel
        self._stub: Any = PluginServiceStub(channel)
        self._timeout = timeout

    @classmethod
    async def connect(cls, endpoint: str, tls: ClientTls | None = None, timeout: float = 30.0) -> GrpcClient:
        """Connect.

        Args:
            endpoint: "grpc://host:port", "grpcs://host:port" or "grpc+unix://" and a path.
            tls: certificates, for grpcs.
            timeout: seconds that a call, and the connection, may take.

        Raises:
            StartError: grpcs without certificates, or a certificate cannot be used.
            OSError: nobody answers there.
        """
        scheme, _, address = endpoint.partition("://")
        target = f"unix:{address}" if scheme == "grpc+unix" else address.rstrip("/")
        if scheme == "grpcs":
            if tls is None:
                raise StartError(f"{endpoint}: TLS needs the file of the authorities to trust")
            from .grpc_tls import grpc_channel_credentials

            credentials = grpc_channel_credentials(tls.ca_bundle, tls.certfile, tls.keyfile, tls.keyfile_password)
            channel = grpc.aio.secure_channel(target, credentials, _OPTIONS)
        else:
            channel = grpc.aio.insecure_channel(target, _OPTIONS)
        await _ready(channel, endpoint, timeout)
        return cls(channel, timeout)

    @property
    def usable(self) -> bool:
        """Whether the channel is connected; one that has lost its server comes back only after a pause of its own."""
        return self._channel.get_state() is grpc.ChannelConnectivity.READY

    async def invoke(self, hook: str, plugin: str, payload: Any, context: dict[str, Any] | None) -> dict[str, Any]:
        """Run a hook and return plugin_name, result or error, and context when it carries anything.

        Raises:
            TimeoutError: no answer came in time.
            OSError: the server cannot be reached, or refused the call.
            EncodeError: payload or context cannot be written without changing them.
        """
        request = write_request(hook, plugin, payload, context)
        return read_reply(await _answer(self._stub.InvokeHook(request, timeout=self._timeout)))

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins; errors as in `invoke`."""
        request = pb.GetPluginConfigsRequest()
        return read_configs(await _answer(self._stub.GetPluginConfigs(request, timeout=self._timeout)))

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin, None when the server has no such plugin; errors as in `invoke`."""
        request = pb.GetPluginConfigRequest(name=name)
        return read_config(await _answer(self._stub.GetPluginConfig(request, timeout=self._timeout)))

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()


async def _ready(channel: grpc.aio.Channel, endpoint: str, timeout: float) -> None:
    """Wait for the first connection; grpc itself would go on trying for ever."""
    try:
        async with asyncio.timeout(timeout):
            state = channel.get_state(try_to_connect=True)
            while state is not grpc.ChannelConnectivity.READY:
                if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                    raise ConnectionRefusedError(f"{endpoint}: nobody answers there, or TLS failed")
                await channel.wait_for_state_change(state)
                state = channel.get_state(try_to_connect=True)
    except BaseException:
        await channel.close()
        raise


async def _answer(call: Awaitable[T]) -> T:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise TimeoutError("no answer in time") from error
        raise ConnectionError(f"{error.code().name}: {error.details()}") from error
