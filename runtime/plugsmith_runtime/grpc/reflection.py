"""Server reflection of gRPC (v1 and v1alpha): which services there are, and the files that describe them.

The messages come from the package grpcio-reflection, which has v1alpha only. Those of v1 are the same bytes, and its
descriptor is that of v1alpha under another package.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from .server_call import ServerCall
from .service import Service, stream_stream
from .status import StatusCode, StatusError

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
    from google.protobuf.descriptor_pool import DescriptorPool

REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"
REFLECTION_V1ALPHA = "grpc.reflection.v1alpha.ServerReflection"
METHOD = "ServerReflectionInfo"
_PACKAGES = {REFLECTION_V1: "grpc.reflection.v1", REFLECTION_V1ALPHA: "grpc.reflection.v1alpha"}


class Reflection:
    """Answers of the reflection services.

    Args:
        services: the full names of the services that are told, those of reflection included.
        files: gives the files that describe them, imports before those that import them; called when the first client
            asks. The file of reflection itself need not be among them.
    """

    def __init__(self, services: Sequence[str], files: Callable[[], Iterable[FileDescriptorProto]]) -> None:
        self._services = services
        self._files = files
        self._pool: DescriptorPool | None = None

    def services(self) -> list[Service]:
        """The services of both versions."""
        return [Service(name, [stream_stream(METHOD, self.info, half_close_on_drain=True)]) for name in _PACKAGES]

    async def info(self, requests: AsyncIterator[bytes], call: ServerCall) -> AsyncGenerator[bytes, None]:
        """The answer to each question."""
        from google.protobuf.message import DecodeError
        from grpc_reflection.v1alpha import reflection_pb2

        async for data in requests:
            try:
                request = reflection_pb2.ServerReflectionRequest.FromString(data)
            except DecodeError:
                raise StatusError(StatusCode.INVALID_ARGUMENT, "the request is no ServerReflectionRequest") from None
            response = reflection_pb2.ServerReflectionResponse(valid_host=request.host, original_request=request)
            try:
                self._answer(request, response)
            except KeyError:
                response.error_response.error_code = StatusCode.NOT_FOUND
                response.error_response.error_message = "this server has no such file or symbol"
            yield response.SerializeToString()

    def _answer(self, request: Any, response: Any) -> None:
        pool = self._descriptors()
        match request.WhichOneof("message_request"):
            case "list_services":
                for name in self._services:
                    response.list_services_response.service.add(name=name)
            case "file_by_filename":
                _add_files(pool.FindFileByName(request.file_by_filename), response)
            case "file_containing_symbol":
                _add_files(pool.FindFileContainingSymbol(request.file_containing_symbol), response)
            case kind:
                # Extensions, which proto3 does not have.
                raise KeyError(kind)

    def _descriptors(self) -> DescriptorPool:
        if self._pool is None:
            from google.protobuf.descriptor_pool import DescriptorPool
            from grpc_reflection.v1alpha import reflection_pb2

            # A pool of its own: what is served stays as it is in its own.
            pool = DescriptorPool()
            for file in self._files():
                pool.Add(file)
            original = _file_proto(reflection_pb2.DESCRIPTOR)
            pool.Add(original)
            pool.Add(renamed(original, _PACKAGES[REFLECTION_V1], original.name.replace("v1alpha", "v1")))
            self._pool = pool
        return self._pool


def renamed(file: FileDescriptorProto, package: str, name: str) -> FileDescriptorProto:
    """A file under the name of another package.

    Args:
        file: the file; it stays as it is.
        package: the new package.
        name: the new file's name.
    """
    copy = type(file).FromString(file.SerializeToString())
    copy.name = name
    copy.package = package
    rename = partial(_renamed_type, old=f".{file.package}.", new=f".{package}.")
    for message in copy.message_type:
        _rename_fields(message, rename)
    for service in copy.service:
        for method in service.method:
            method.input_type = rename(method.input_type)
            method.output_type = rename(method.output_type)
    return copy


def _rename_fields(message: DescriptorProto, rename: Callable[[str], str]) -> None:
    for field in message.field:
        if field.type_name:
            field.type_name = rename(field.type_name)
    for nested in message.nested_type:
        _rename_fields(nested, rename)


def _renamed_type(name: str, old: str, new: str) -> str:
    return new + name.removeprefix(old) if name.startswith(old) else name


def _file_proto(file: Any) -> FileDescriptorProto:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    return FileDescriptorProto.FromString(file.serialized_pb)


def _add_files(file: Any, response: Any) -> None:
    """Write a file before those that it imports."""
    found: dict[str, bytes] = {}

    def add(wanted: Any) -> None:
        for needed in wanted.dependencies:
            add(needed)
        found.setdefault(wanted.name, wanted.serialized_pb)

    add(file)
    response.file_descriptor_response.file_descriptor_proto.extend(reversed(found.values()))
