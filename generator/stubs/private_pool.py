"""The private descriptor pool of the generated modules beside this file.

Nothing of this package is known to the default pool of google.protobuf, so that packages with other versions of the
same .proto files work in the same process. Pass `POOL` wherever google.protobuf or grpc takes a descriptor pool: to
json_format for messages that hold google.protobuf.Any, and to gRPC reflection.
"""

import importlib
from typing import TYPE_CHECKING, Any, cast

from google.protobuf import descriptor as _runtime
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message

if TYPE_CHECKING:
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.reflection import GeneratedProtocolMessageType
else:
    # The usual modules bring the runtime that is written in Python along, text format and all. The compiled one needs
    # nothing of it, and a server that starts without it is 6 ms sooner there and 1.3 MB smaller.
    try:
        from google.protobuf.pyext.cpp_message import GeneratedProtocolMessageType

        DescriptorPool = _runtime._message.DescriptorPool
    except (ImportError, AttributeError):
        from google.protobuf.descriptor_pool import DescriptorPool
        from google.protobuf.reflection import GeneratedProtocolMessageType

__all__ = ["POOL"]

POOL = DescriptorPool()


# The generated modules use what follows in place of google.protobuf's descriptor_pool, symbol_database and builder.
def Default() -> DescriptorPool:
    """Returns the private pool."""
    return POOL


def BuildMessageAndEnumDescriptors(file: FileDescriptor, module: dict[str, Any]) -> None:
    """Fills a generated module with the descriptors of its messages, and of what is nested in them.

    Args:
        file: descriptor of the .proto file.
        module: globals of the generated module.
    """
    for message in file.message_types_by_name.values():
        _add_descriptors(message, f"_{message.name.upper()}", module)


def BuildTopDescriptorsAndMessages(file: FileDescriptor, module_name: str, module: dict[str, Any]) -> None:
    """Fills a generated module with its enums, extensions, services and message classes.

    Args:
        file: descriptor of the .proto file.
        module_name: the name that protoc gave the module; its real one is taken from `module`.
        module: globals of the generated module.
    """
    for name, enum in file.enum_types_by_name.items():
        module[f"_{name.upper()}"] = enum
        module[name] = EnumTypeWrapper(enum)
        for value in enum.values:
            module[value.name] = value.number
    for name, extension in file.extensions_by_name.items():
        module[f"{name.upper()}_FIELD_NUMBER"] = extension.number
        module[name] = extension
    for name, service in file.services_by_name.items():
        module[f"_{name.upper()}"] = service
    for name, message in file.message_types_by_name.items():
        module[name] = _build_message(message, module["__name__"], "")


def BuildServices(file: FileDescriptor, module_name: str, module: dict[str, Any]) -> None:
    """Fills a generated module with the classes of its generic services (`option py_generic_services`).

    Args:
        file: descriptor of the .proto file.
        module_name: the name that protoc gave the module; its real one is taken from `module`.
        module: globals of the generated module.
    """
    reflection: Any = importlib.import_module("google.protobuf.service_reflection")
    for name, descriptor in file.services_by_name.items():
        members = {"DESCRIPTOR": descriptor, "__module__": module["__name__"]}
        built = reflection.GeneratedServiceType(name, (), dict(members))
        module[name] = built
        module[f"{name}_Stub"] = reflection.GeneratedServiceStubType(f"{name}_Stub", (built,), dict(members))


def _add_descriptors(descriptor: Descriptor, name: str, module: dict[str, Any]) -> None:
    module[name] = descriptor
    for nested in descriptor.nested_types:
        _add_descriptors(nested, f"{name}_{nested.name.upper()}", module)
    for enum in descriptor.enum_types:
        module[f"{name}_{enum.name.upper()}"] = enum


def _build_message(descriptor: Descriptor, module_name: str, prefix: str) -> type[Message]:
    qualified = prefix + descriptor.name
    members: dict[str, Any] = {
        name: _build_message(nested, module_name, f"{qualified}.")
        for name, nested in descriptor.nested_types_by_name.items()
    }
    members.update(DESCRIPTOR=descriptor, __module__=module_name, __qualname__=qualified)
    if prefix:
        # The runtime pickles nested messages by their name in the default symbol database, where these are not.
        members["__reduce__"] = _reduce
    built: Any = GeneratedProtocolMessageType(descriptor.name, (Message,), members)
    return cast(type[Message], built)


def _reduce(self: Message) -> tuple[Any, ...]:
    return _construct, (type(self).__module__, type(self).__qualname__), self.__getstate__()


def _construct(module_name: str, qualified: str) -> Message:
    found: Any = importlib.import_module(module_name)
    for name in qualified.split("."):
        found = getattr(found, name)
    message: Message = found()
    return message
