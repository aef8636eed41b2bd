"""Runs mypy-protobuf in this process on descriptors, without protoc or console scripts."""

from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from .modules import module_of, path_of


def type_stubs(descriptors: FileDescriptorSet, protos: list[str]) -> dict[str, str]:
    """Returns the *_pb2.pyi of each file in `protos`, by path.

    Args:
        descriptors: the files and all that they import, with source information for the comments.
        protos: names of the files to write stubs for.
    """
    from mypy_protobuf import main

    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=protos, proto_file=descriptors.file)
    response = plugin_pb2.CodeGeneratorResponse()
    main.generate_mypy_stubs(main.Descriptors(request), response, True, False, False, False, False)
    return _by_module(protos, ".pyi", response)


def grpc_type_stubs(descriptors: FileDescriptorSet, protos: list[str], *, async_only: bool) -> dict[str, str]:
    """Returns the *_pb2_grpc.pyi of each file in `protos`, by path.

    Args:
        descriptors: as for `type_stubs`.
        protos: names of the files, each with a service.
        async_only: type the stubs for grpc.aio alone instead of for both kinds of channel.
    """
    from mypy_protobuf import main

    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=protos, proto_file=descriptors.file)
    response = plugin_pb2.CodeGeneratorResponse()
    kind = main.GRPCType.ASYNC if async_only else main.GRPCType.BOTH
    main.generate_mypy_grpc_stubs(main.Descriptors(request), response, True, False, False, False, False, kind)
    return _by_module(protos, "_grpc.pyi", response)


def _by_module(protos: list[str], suffix: str, response: plugin_pb2.CodeGeneratorResponse) -> dict[str, str]:
    # mypy-protobuf answers in the order of the request.
    return {path_of(module_of(proto), suffix): file.content for proto, file in zip(protos, response.file, strict=True)}
