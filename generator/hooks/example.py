"""Writes an example of each hook for the reference."""

import json
from typing import Any

from .model import Hook, HookContract, Message, TypeName


def example_of(hook: Hook, contract: HookContract) -> str:
    """Returns a method that uses the hook: it changes the first thing that the gateway lets a plugin change."""
    return f"return {hook.result}({_change(hook, contract)})"


def _change(hook: Hook, contract: HookContract) -> str:
    payload = contract.message(hook.payload)
    if hook.modified.messages == (hook.payload,):
        field = next((field for field in payload.fields if field.name in hook.writable), payload.fields[0])
        return f"modified_payload=payload.model_copy(update={{{_literal(field.name)}: {_literal(field.type.sample)}}})"
    return f"modified_payload={_new(hook.modified, contract)}"


def _new(kind: TypeName, contract: HookContract) -> str:
    """Returns an expression that makes a value of a type."""
    if not kind.messages or kind.text not in kind.messages:
        return _literal(kind.sample)
    message: Message = contract.message(kind.text)
    if message.root is not None:
        return f"{message.name}({_literal(message.root.sample)})"
    required = (f"{field.name}={_new(field.type, contract)}" for field in message.fields if field.required)
    return f"{message.name}({', '.join(required)})"


def _literal(value: Any) -> str:
    return repr(value) if isinstance(value, bool) or value is None else json.dumps(value, ensure_ascii=False)
