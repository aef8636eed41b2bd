"""Reads the hooks of a contract; collects everything that is wrong before it gives up."""

import json
import keyword
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from pydantic import BaseModel

from ..errors import ContractError
from .check import hook_problems
from .descriptors import FILE, PACKAGE, Comments, Options, compile_hooks
from .model import Field, Hook, HookContract, Message, TypeName
from .order import in_order
from .types import python_type

_MESSAGES, _SERVICES, _FIELDS, _METHODS = 4, 6, 2, 2  # field numbers of descriptor.proto, which paths are made of
_DEFAULT_KINDS: dict[str, type | tuple[type, ...]] = {"str": str, "bool": bool, "int": int, "float": (int, float)}


def read_hooks(proto_dir: Path) -> HookContract:
    """Returns the hooks of `proto_dir`/hooks.proto.

    Args:
        proto_dir: the folder that holds the contract.

    Raises:
        PlugsmithError: the contract does not compile or breaks a rule; one line for each problem.
    """
    compiled = compile_hooks(proto_dir)
    file = next(file for file in compiled.file if file.name == FILE)
    return _Reader(file, Options.of(compiled), Comments.of(file), f"{proto_dir.name}/{FILE}").read()


class _Reader:
    def __init__(self, file: FileDescriptorProto, options: Options, comments: Comments, where: str) -> None:
        self._file, self._options, self._comments, self._where = file, options, comments, where
        self._problems: list[str] = []

    def read(self) -> HookContract:
        if self._file.package != PACKAGE:
            raise ContractError(f"{self._where}: the package is {self._file.package!r}; it must be {PACKAGE!r}")
        messages = {
            message.name: self._message(message, index) for index, message in enumerate(self._file.message_type)
        }
        hooks = self._hooks(messages)
        self._problems += (f"{self._where}: {problem}" for problem in hook_problems(hooks, messages))
        if self._problems:
            raise ContractError(*dict.fromkeys(self._problems))
        results = {hook.result for hook in hooks}
        try:
            models = in_order([message for message in messages.values() if message.name not in results])
        except ContractError as error:
            raise ContractError(f"{self._where}: {error}") from None
        base = messages["PluginResult"]
        return HookContract(tuple(hooks), tuple(message for message in models if message is not base), base)

    def _problem(self, what: str) -> None:
        self._problems.append(f"{self._where}: {what}")

    def _message(self, message: DescriptorProto, index: int) -> Message:
        fields = []
        for number, field in enumerate(message.field):
            doc = self._comments.at(_MESSAGES, index, _FIELDS, number)
            if (read := self._field(field, message, doc)) is not None:
                fields.append(read)
        root = None
        if self._options.get(message.options, "root"):
            if len(fields) == 1:
                root = fields[0].type
            else:
                self._problem(f"{message.name} has the option root and {len(fields)} fields; it needs exactly one")
        nested = [kind.name for kind in message.nested_type if not kind.options.map_entry]
        for name in (*nested, *(kind.name for kind in message.enum_type)):
            self._problem(f"{message.name}.{name} is nested; use messages at the top level of the file, and strings")
        return Message(message.name, self._comments.at(_MESSAGES, index), tuple(fields), root)

    def _field(self, field: FieldDescriptorProto, message: DescriptorProto, doc: str) -> Field | None:
        path = f"{message.name}.{field.name}"
        if keyword.iskeyword(field.name) or hasattr(BaseModel, field.name) or field.name.startswith(("_", "model_")):
            self._problem(f"{path} cannot be a field of a Python model; rename it")
        if field.HasField("oneof_index") and not field.proto3_optional:
            self._problem(f"{path} is in a oneof, which a JSON object cannot show; use optional fields or Value")
        kind = python_type(field, message, PACKAGE)
        if kind is None:
            self._problem(
                f"{path} has a type without a model; use string, bool, int32, int64, double, Struct, Value, ListValue, "
                "a message of this file, or a list or map<string, ...> of these"
            )
            return None
        optional = field.proto3_optional
        return Field(field.name, kind, optional, self._default(field, kind, optional, path), doc)

    def _default(self, field: FieldDescriptorProto, kind: TypeName, optional: bool, path: str) -> str | None:
        given = self._options.get(field.options, "default_json")
        if given is not None:
            return self._given_default(given, kind, path)
        if self._options.get(field.options, "required"):
            return None
        if optional or kind.text == "Any":
            return "None"
        return f"Field(default_factory={kind.empty})" if kind.empty else None

    def _given_default(self, given: str, kind: TypeName, path: str) -> str | None:
        expected = _DEFAULT_KINDS.get(kind.text)
        try:
            value: Any = json.loads(given)
        except ValueError:
            value = None
        if expected is None or not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            self._problem(f"{path} has default_json {given!r}, which is no JSON value of type {kind.text}")
            return None
        if not isinstance(value, str) or ('"' in value and "'" not in value):
            return repr(value)  # as ruff chooses quotes
        return json.dumps(value, ensure_ascii=False)

    def _hooks(self, messages: dict[str, Message]) -> list[Hook]:
        hooks = []
        for place, service in enumerate(self._file.service):
            for index, method in enumerate(service.method):
                option = self._options.get(method.options, "hook")
                if option is None:
                    self._problem(
                        f'{service.name}.{method.name} has no hook option; add option (hook) = {{name: "..."}}'
                    )
                    continue
                payload, result = (name.rpartition(".")[2] for name in (method.input_type, method.output_type))
                modified = self._modified(result, messages)
                if modified is None:
                    continue
                doc = self._comments.at(_SERVICES, place, _METHODS, index)
                facts = (option.name, option.group, option.since, tuple(option.writable), doc, payload, result)
                hooks.append(Hook(*facts, messages[result].doc, modified.type, modified.doc))
        return hooks

    def _modified(self, result: str, messages: dict[str, Message]) -> Field | None:
        fields = {field.name: field for field in messages[result].fields} if result in messages else {}
        modified, base = fields.get("modified_payload"), fields.get("base")
        if modified is None or base is None or base.type.text != "PluginResult" or not modified.optional:
            self._problem(f"{result} is a hook's result; it needs PluginResult base and optional ... modified_payload")
            return None
        return modified
