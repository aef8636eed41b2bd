"""Writes examples of each hook for the reference."""

import json
from typing import Any

from .model import Field, Hook, HookContract, TypeName


def example_result(hook: Hook, contract: HookContract) -> str:
    """Returns an expression that answers the hook: it changes something that the gateway lets a plugin change."""
    return f"{hook.result}(modified_payload={_change(hook, contract)})"


def example_payload(hook: Hook, contract: HookContract) -> str:
    """Returns a payload as it travels, in JSON: what must be there and what can be changed."""
    fields = contract.message(hook.payload).fields
    shown = [field for field in fields if field.required or (field.name in hook.writable and not field.optional)]
    return json.dumps({field.name: _plain(field.type, contract) for field in shown}, ensure_ascii=False)


def _change(hook: Hook, contract: HookContract) -> str:
    if hook.modified.messages != (hook.payload,):
        return _new(hook.modified, contract)
    field = _telling([field for field in contract.message(hook.payload).fields if field.name in hook.writable])
    return f"payload.model_copy(update={{{_literal(field.name)}: {_literal(field.type.sample)}}})"


def _telling(fields: list[Field]) -> Field:
    """Returns the field for the example: plugins change data more often than names."""
    return next((field for field in fields if field.type.text != "str"), fields[0])


def _new(kind: TypeName, contract: HookContract) -> str:
    """Returns an expression that makes a value of a type."""
    if kind.messages != (kind.text,):
        return _literal(kind.sample)
    message = contract.message(kind.text)
    if message.root is not None:
        return f"{message.name}({_literal(message.root.sample)})"
    required = (f"{field.name}={_new(field.type, contract)}" for field in message.fields if field.required)
    return f"{message.name}({', '.join(required)})"


def _plain(kind: TypeName, contract: HookContract) -> Any:
    """Returns a value of a type as JSON data."""
    if kind.messages != (kind.text,):
        return kind.sample
    message = contract.message(kind.text)
    if message.root is not None:
        return message.root.sample
    return {field.name: _plain(field.type, contract) for field in message.fields if field.required}


def _literal(value: Any) -> str:
    return repr(value) if isinstance(value, bool) or value is None else json.dumps(value, ensure_ascii=False)
