"""Server reflection, so that grpcurl and the like need no .proto file."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from ...contract import plugin_service_pb2
from ...contract.google.protobuf import struct_pb2
from ...grpc.call import StreamingCall
from ...grpc.status import StatusCode, StatusError
from .names import OLD_PACKAGE, OWN_PACKAGE, SERVICES


class Reflection:
    """Answers what services there are, and what their files hold."""

    def __init__(self) -> None:
        self._pool = descriptors()

    async def info(self, call: StreamingCall) -> None:
        """Answer each question of a stream."""
        while (data := await call.receive()) is not None:
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
            await call.send(response.SerializeToString())

    def _answer(self, request: Any, response: Any) -> None:
        kind = request.WhichOneof("message_request")
        if kind == "list_services":
            for name in SERVICES:
                response.list_services_response.service.add(name=name)
        elif kind == "file_by_filename":
            self._files(self._pool.FindFileByName(request.file_by_filename), response)
        elif kind == "file_containing_symbol":
            self._files(self._pool.FindFileContainingSymbol(request.file_containing_symbol), response)
        else:
            # Proto3 has no extensions.
            raise KeyError(kind)

    def _files(self, file: Any, response: Any) -> None:
        """Write a file after those that it needs."""
        found: dict[str, bytes] = {}

        def add(wanted: Any) -> None:
            for needed in wanted.dependencies:
                add(needed)
            found.setdefault(wanted.name, wanted.serialized_pb)

        add(file)
        response.file_descriptor_response.file_descriptor_proto.extend(reversed(found.values()))


def descriptors() -> DescriptorPool:
    """All served files in a pool of their own, so that the contract's stays as it is."""
    pool = DescriptorPool()
    for module in (struct_pb2, health_pb2, reflection_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(plugin_service_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(_renamed(OWN_PACKAGE, OLD_PACKAGE).SerializeToString())
    return pool


def _renamed(original: str, package: str) -> FileDescriptorProto:
    """The contract's descriptor under another package name."""
    file = FileDescriptorProto.FromString(plugin_service_pb2.DESCRIPTOR.serialized_pb)
    file.name = f"{package.replace('.', '/')}/{file.name}"
    file.package = package
    for message in file.message_type:
        _rename_fields(message, original, package)
    for service in file.service:
        for method in service.method:
            method.input_type = _name(method.input_type, original, package)
            method.output_type = _name(method.output_type, original, package)
    return file


def _rename_fields(message: DescriptorProto, original: str, package: str) -> None:
    for field in message.field:
        if field.type_name:
            field.type_name = _name(field.type_name, original, package)
    for nested in message.nested_type:
        _rename_fields(nested, original, package)


def _name(name: str, original: str, package: str) -> str:
    prefix = f".{original}."
    return f".{package}.{name.removeprefix(prefix)}" if name.startswith(prefix) else name
