"""Descriptor sets as the compiler writes them: comments of any bytes, options that only the set itself explains."""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet, SourceCodeInfo

COMMENTS = ("leading_detached_comments", "leading_comments", "trailing_comments")
"""The fields of a location that hold comments, in the order in which plugins write them."""


def parse_descriptor_set(data: bytes) -> tuple[FileDescriptorSet, list[str]]:
    """Parses a descriptor set.

    The compiler passes comments on as they are; protobuf's Python runtime cannot read what is not UTF-8. The messages
    belong to a pool of their own, in which no option is registered: a module that was imported for another reason could
    have registered one of the same number, of another type.

    Args:
        data: a serialized FileDescriptorSet.

    Returns:
        The set, with U+FFFD in place of what cannot be decoded and line feeds in place of other line ends, and the
        names of the files in whose comments something was replaced by U+FFFD.

    Raises:
        google.protobuf.message.DecodeError: the data is no FileDescriptorSet.
    """
    raw = _RAW_SET.FromString(data)
    damaged = []
    for file in raw.file:
        replaced = [_clean(location) for info in file.source_code_info for location in info.location]
        if any(replaced):
            damaged.append(file.name[-1].decode(errors="replace"))
    return _SET.FromString(raw.SerializeToString()), damaged


def _clean(location: Any) -> bool:
    replaced = False
    for name in COMMENTS:
        values = getattr(location, name)
        for index, value in enumerate(values):
            text = value.decode(errors="replace")
            replaced |= text.encode() != value
            values[index] = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    return replaced


def _raw_set() -> Any:
    """The message class of a FileDescriptorSet that reads comments as bytes; all else it keeps as unknown fields."""
    file = FileDescriptorProto(name="raw.proto", package="raw", syntax="proto3")
    fields: dict[str, dict[str, tuple[int, str]]] = {
        "Set": {"file": (1, "File")},
        "File": {"name": (1, ""), "source_code_info": (9, "Info")},
        "Info": {"location": (1, "Location")},
        "Location": {name: (SourceCodeInfo.Location.DESCRIPTOR.fields_by_name[name].number, "") for name in COMMENTS},
    }
    for message, members in fields.items():
        added = file.message_type.add(name=message)
        for name, (number, kind) in members.items():
            field = added.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_REPEATED)
            field.type = FieldDescriptorProto.TYPE_MESSAGE if kind else FieldDescriptorProto.TYPE_BYTES
            if kind:
                field.type_name = f".raw.{kind}"
    return _message_class(file, "raw.Set")


def _message_class(file: FileDescriptorProto, name: str) -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


_RAW_SET = _raw_set()
_SET: type[FileDescriptorSet] = _message_class(
    FileDescriptorProto.FromString(descriptor_pb2.DESCRIPTOR.serialized_pb), FileDescriptorSet.DESCRIPTOR.full_name
)
