"""Runs mypy-protobuf in this process on descriptors, without protoc or console scripts."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from .comments import breaks_deprecations
from .descriptors import fields_of
from .modules import module_of, path_of


def type_stubs(descriptors: FileDescriptorSet, protos: list[str]) -> dict[str, str]:
    """Returns the *_pb2.pyi of each file in `protos`, by path.

    Args:
        descriptors: the files and all that they import, with source information for the comments.
        protos: names of the files to write stubs for.
    """
    from mypy_protobuf import main

    def write(known: Any, response: plugin_pb2.CodeGeneratorResponse, default_texts: bool) -> None:
        main.generate_mypy_stubs(known, response, True, False, False, default_texts, False)

    return _stubs(descriptors, protos, ".pyi", write)


def grpc_type_stubs(descriptors: FileDescriptorSet, protos: list[str], *, async_only: bool) -> dict[str, str]:
    """Returns the *_pb2_grpc.pyi of each file in `protos`, by path.

    Args:
        descriptors: as for `type_stubs`.
        protos: names of the files, each with a service.
        async_only: type the stubs for grpc.aio alone instead of for both kinds of channel.
    """
    from mypy_protobuf import main

    kind = main.GRPCType.ASYNC if async_only else main.GRPCType.BOTH

    def write(known: Any, response: plugin_pb2.CodeGeneratorResponse, default_texts: bool) -> None:
        main.generate_mypy_grpc_stubs(known, response, True, False, False, default_texts, False, kind)

    return _stubs(descriptors, protos, "_grpc.pyi", write)


def _stubs(
    descriptors: FileDescriptorSet,
    protos: list[str],
    suffix: str,
    write: Callable[[Any, plugin_pb2.CodeGeneratorResponse, bool], None],
) -> dict[str, str]:
    from mypy_protobuf import main

    files = _without_foreign_options(descriptors)
    careful = {file.name for file in files if breaks_deprecations(file)}
    stubs: dict[str, str] = {}
    for default_texts in (False, True):
        chosen = [name for name in protos if (name in careful) is default_texts]
        request = plugin_pb2.CodeGeneratorRequest(file_to_generate=chosen, proto_file=files)
        response = plugin_pb2.CodeGeneratorResponse()
        write(main.Descriptors(request), response, default_texts)
        # mypy-protobuf answers in the order of the request.
        for proto, file in zip(chosen, response.file, strict=True):
            stubs[path_of(module_of(proto), suffix)] = file.content
    return stubs


def _without_foreign_options(descriptors: FileDescriptorSet) -> list[FileDescriptorProto]:
    """Returns the files for mypy-protobuf, without field options that only have the numbers of its own.

    Raises:
        google.protobuf.message.DecodeError: the set has mypy-protobuf's options, and one of them cannot be read.
    """
    from mypy_protobuf import extensions_pb2

    if all(file.name != extensions_pb2.DESCRIPTOR.name for file in descriptors.file):
        descriptors = deepcopy(descriptors)
        for field in (field for file in descriptors.file for field in fields_of(file)):
            # All that is not an option of protobuf itself: in the pool of these messages, no other is known.
            field.options.DiscardUnknownFields()
    return list(FileDescriptorSet.FromString(descriptors.SerializeToString()).file)
