"""Descriptors of a contract: compiled by protoc, with comments, and options that can be read."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message as ProtoMessage

from ..errors import ContractError
from ..stubs.protoc import run_protoc, well_known_protos

FILE, PACKAGE = "hooks.proto", "plugsmith.hooks"


def compile_hooks(proto_dir: Path) -> descriptor_pb2.FileDescriptorSet:
    """Compiles hooks.proto and what it imports, in process.

    Args:
        proto_dir: the folder that holds hooks.proto.

    Raises:
        ContractError: the file is missing.
        StubsError: protoc refuses it.
    """
    if not (proto_dir / FILE).is_file():
        raise ContractError(f"{proto_dir / FILE}: no such file; name the folder that holds the contract")
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "set.binpb")
        includes = [f"-I{proto_dir}", f"-I{well_known_protos()}"]
        flags = ["--include_imports", "--include_source_info", f"--descriptor_set_out={out}"]
        run_protoc([*includes, *flags, FILE])
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


@dataclass(frozen=True)
class Options:
    """Reads the contract's own options, which the default descriptor pool does not know."""

    pool: descriptor_pool.DescriptorPool

    @classmethod
    def of(cls, compiled: descriptor_pb2.FileDescriptorSet) -> "Options":
        """Returns a reader with a pool of its own, so that nothing is registered for the whole process."""
        pool = descriptor_pool.DescriptorPool()
        for file in compiled.file:  # protoc lists imports first
            pool.AddSerializedFile(file.SerializeToString())
        return cls(pool)

    def get(self, options: ProtoMessage, name: str) -> Any:
        """Returns the value of one option of plugsmith.hooks, or None when it is not set.

        Args:
            options: the options of a method, message or field, as descriptor_pb2 parsed them.
            name: the option's name, for example `hook`.
        """
        raw = options.SerializeToString()
        if not raw:
            return None
        kind = self.pool.FindMessageTypeByName(options.DESCRIPTOR.full_name)
        extension = self.pool.FindExtensionByName(f"{PACKAGE}.{name}")
        typed: Any = message_factory.GetMessageClass(kind).FromString(raw)
        return typed.Extensions[extension] if typed.HasExtension(extension) else None


@dataclass(frozen=True)
class Comments:
    """The comments of one file by descriptor path."""

    texts: dict[tuple[int, ...], str]

    @classmethod
    def of(cls, file: descriptor_pb2.FileDescriptorProto) -> "Comments":
        """Returns the comments before each definition, or behind it where there is none before."""
        return cls(
            {
                tuple(place.path): _clean(place.leading_comments or place.trailing_comments)
                for place in file.source_code_info.location
            }
        )

    def at(self, *path: int) -> str:
        """Returns the comment at a descriptor path, empty when there is none."""
        return self.texts.get(path, "")


def _clean(comment: str) -> str:
    return "\n".join(line.removeprefix(" ").rstrip() for line in comment.strip("\n").splitlines()).strip()
