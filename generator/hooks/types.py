"""Which Python type stands for which protobuf type."""

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

from .model import TypeName

_KINDS = FieldDescriptorProto
_SCALARS = {
    _KINDS.TYPE_STRING: TypeName("str", sample="text"),
    _KINDS.TYPE_BOOL: TypeName("bool", sample=True),
    _KINDS.TYPE_INT32: TypeName("int", sample=1),
    _KINDS.TYPE_INT64: TypeName("int", sample=1),
    _KINDS.TYPE_DOUBLE: TypeName("float", sample=0.5),
}
_STRUCT = TypeName("dict[str, Any]", empty="dict", sample={"key": "value"})
_VALUE = TypeName("Any", sample={"key": "value"})
_LIST = TypeName("list[Any]", sample=["text"])
_WELL_KNOWN = {"google.protobuf.Struct": _STRUCT, "google.protobuf.Value": _VALUE, "google.protobuf.ListValue": _LIST}


def python_type(field: FieldDescriptorProto, message: DescriptorProto, package: str) -> TypeName | None:
    """Returns the Python type of a field, or None when the contract's models know none for it.

    Args:
        field: the field.
        message: the message that holds it; map entries are its nested types.
        package: the contract's package; messages of other packages have no model.
    """
    if field.label != field.LABEL_REPEATED:
        return _single(field, package)
    entry = next(
        (kind for kind in message.nested_type if kind.options.map_entry and field.type_name.endswith(f".{kind.name}")),
        None,
    )
    if entry is None:
        return _list_of(_single(field, package))
    key, value = entry.field
    return _map_of(_single(value, package)) if key.type == key.TYPE_STRING else None


def _single(field: FieldDescriptorProto, package: str) -> TypeName | None:
    if field.type != field.TYPE_MESSAGE:
        return _SCALARS.get(field.type)
    name = field.type_name.removeprefix(".")
    if name in _WELL_KNOWN:
        return _WELL_KNOWN[name]
    prefix, _, simple = name.rpartition(".")
    return TypeName(simple, messages=(simple,), sample={}) if prefix == package else None


def _list_of(item: TypeName | None) -> TypeName | None:
    if item is None:
        return None
    return TypeName(f"list[{item.text}]", item.messages, "list", [item.sample])


def _map_of(value: TypeName | None) -> TypeName | None:
    if value is None:
        return None
    return TypeName(f"dict[str, {value.text}]", value.messages, "dict", {"name": value.sample})
