"""Client of server reflection: asks a server for its services, and for all files that describe them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

from ..errors import PlugsmithError
from .reflection import METHOD, REFLECTION_V1, REFLECTION_V1ALPHA
from .status import Metadata, StatusCode, StatusError

if TYPE_CHECKING:
    from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

    from .channel import Channel
    from .client_call import ClientCall

    ReflectionCall = ClientCall[ServerReflectionRequest, ServerReflectionResponse]

T = TypeVar("T")

# Servers without v1 answer UNIMPLEMENTED; some proxies and frameworks say it in these other ways.
_MAY_BE_MISSING = {StatusCode.UNIMPLEMENTED, StatusCode.UNKNOWN, StatusCode.UNAVAILABLE}


class ReflectionError(PlugsmithError):
    """Answers of a server's reflection that make no sense: a file or symbol is missing, or told in two ways."""


class ReflectionClient:
    """Client of the reflection service of one server, v1 or else v1alpha.

    Args:
        channel: the way to the server.
        timeout: seconds that each method of this class may take.
        metadata: sent with each call.
        max_files: the most files that a server may have.
    """

    def __init__(
        self, channel: Channel, timeout: float | None = 10.0, metadata: Metadata = (), max_files: int = 10_000
    ) -> None:
        self._channel = channel
        self._timeout = timeout
        self._metadata = metadata
        self._max_files = max_files
        self._service: str | None = None

    async def list_services(self) -> list[str]:
        """The full names of the server's services.

        Raises:
            StatusError: the server has no reflection, or the call failed.
            ReflectionError: the server refused the question.
        """

        async def ask(call: ReflectionCall) -> list[str]:
            from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

            response = await _ask(call, ServerReflectionRequest(list_services=""), "its services")
            return [service.name for service in response.list_services_response.service]

        return await self._run(ask)

    async def file_descriptors(self, symbols: Iterable[str]) -> list[FileDescriptorProto]:
        """The files that hold some symbols, with all that they import.

        Args:
            symbols: full names of services or messages.

        Returns:
            Each file once, imports before those that import them, as a descriptor pool needs them.

        Raises:
            StatusError: the server has no reflection, or the call failed.
            ReflectionError: a symbol or an imported file is missing, a file comes with two contents, or files import
                each other in a circle.
        """
        wanted = list(symbols)

        async def ask(call: ReflectionCall) -> dict[str, FileDescriptorProto]:
            return await self._collect(call, wanted)

        return _in_order(await self._run(ask))

    async def _run(self, ask: Callable[[ReflectionCall], Awaitable[T]]) -> T:
        """Ask by the version that the server has."""
        if self._service is not None:
            return await self._run_by(self._service, ask)
        try:
            answer = await self._run_by(REFLECTION_V1, ask)
            self._service = REFLECTION_V1
        except StatusError as error:
            if error.code not in _MAY_BE_MISSING:
                raise
            answer = await self._run_by(REFLECTION_V1ALPHA, ask)
            self._service = REFLECTION_V1ALPHA
        return answer

    async def _run_by(self, service: str, ask: Callable[[ReflectionCall], Awaitable[T]]) -> T:
        from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionResponse

        call = self._channel.call(
            f"/{service}/{METHOD}",
            _serialized,
            ServerReflectionResponse.FromString,
            timeout=self._timeout,
            metadata=self._metadata,
        )
        async with call:
            return await ask(call)

    async def _collect(self, call: ReflectionCall, symbols: list[str]) -> dict[str, FileDescriptorProto]:
        from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

        files: dict[str, FileDescriptorProto] = {}
        for symbol in symbols:
            response = await _ask(call, ServerReflectionRequest(file_containing_symbol=symbol), symbol)
            self._add(response, files)
        # Some servers answer with the file alone: its imports are asked for until none is missing.
        while missing := sorted({name for file in files.values() for name in file.dependency} - files.keys()):
            for name in missing:
                if name not in files:
                    response = await _ask(call, ServerReflectionRequest(file_by_filename=name), f"file {name}")
                    self._add(response, files)
                    if name not in files:
                        raise ReflectionError(f"reflection: asked for file {name}, the server sends others")
        return files

    def _add(self, response: ServerReflectionResponse, files: dict[str, FileDescriptorProto]) -> None:
        for data in response.file_descriptor_response.file_descriptor_proto:
            try:
                file = FileDescriptorProto.FromString(data)
            except DecodeError:
                raise ReflectionError("reflection: the server sends a file that is no FileDescriptorProto") from None
            known = files.setdefault(file.name, file)
            if known is not file and known != file:
                raise ReflectionError(f"reflection: file {file.name} comes with two contents")
        if len(files) > self._max_files:
            raise ReflectionError(f"reflection: more than {self._max_files} files")


def _serialized(request: ServerReflectionRequest) -> bytes:
    return request.SerializeToString()


async def _ask(call: ReflectionCall, request: ServerReflectionRequest, what: str) -> ServerReflectionResponse:
    await call.send(request)
    response = await call.receive()
    if response is None:
        raise ReflectionError(f"reflection: the server ends its answers before the one about {what}")
    if response.WhichOneof("message_response") == "error_response":
        raise ReflectionError(f"reflection: no answer about {what}: {response.error_response.error_message}")
    return response


def _in_order(files: Mapping[str, FileDescriptorProto]) -> list[FileDescriptorProto]:
    """Imports before those that import them."""
    ordered: dict[str, FileDescriptorProto] = {}
    # Depth first, without recursion: a server may send any chain of imports.
    stack = [(name, False) for name in reversed(list(files))]
    open_names: set[str] = set()
    while stack:
        name, imports_done = stack.pop()
        if imports_done:
            open_names.discard(name)
            ordered[name] = files[name]
        elif name in open_names:
            raise ReflectionError(f"reflection: file {name} imports itself, over others")
        elif name not in ordered:
            open_names.add(name)
            stack.append((name, True))
            stack.extend((dependency, False) for dependency in files[name].dependency)
    return list(ordered.values())
