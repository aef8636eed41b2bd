"""Server reflection, so that grpcurl and the like need no .proto file."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from ....contract import plugin_service_pb2
from ....contract.google.protobuf import struct_pb2
from .names import OLD_PACKAGE, OWN_PACKAGE


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
