"""Rules that the hooks of a contract keep."""

import re
from collections import Counter
from collections.abc import Iterator

from .model import Hook, Message

# The generated code and the runtime name these.
_NEEDED = {"PluginResult": (), "PluginContext": ("state", "global_context"), "GlobalContext": ("user", "user_context")}


def hook_problems(hooks: list[Hook], messages: dict[str, Message]) -> Iterator[str]:
    """Yields one line for each rule that is broken."""
    for name, fields in _NEEDED.items():
        if name not in messages:
            yield f"message {name} is missing; every plugin needs it"
            continue
        for field in fields:
            if field not in {known.name for known in messages[name].fields}:
                yield f"{name}.{field} is missing; the models' own methods use it"
    for message in messages.values():
        if not message.doc:
            yield f"{message.name} has no comment; write what it is, it becomes the documentation"
        for known in message.fields:
            if not known.doc:
                yield f"{message.name}.{known.name} has no comment; write what it is, it becomes the documentation"
    for name, count in Counter(hook.name for hook in hooks).items():
        if count > 1:
            yield f"{count} methods have the hook name {name!r}; each hook needs a name of its own"
    for hook in hooks:
        yield from _problems_of(hook, messages)


def _problems_of(hook: Hook, messages: dict[str, Message]) -> Iterator[str]:
    where = f"hook {hook.name!r}"
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", hook.name):
        yield f"{where}: the name must be lower_snake_case, as it becomes a method's name"
    if not re.fullmatch(r"[a-z]+", hook.group):
        yield f"{where}: group is {hook.group!r}; it must be one lower-case word, such as tool"
    if not re.fullmatch(r"\d+\.\d+\.\d+", hook.since):
        yield f"{where}: since is {hook.since!r}; it must be a gateway release, such as 1.0.0"
    if not hook.doc:
        yield f"{where} has no comment; write when it fires, it becomes the documentation"
    if hook.payload not in messages:
        yield f"{where}: its payload {hook.payload} is no message of this file"
        return
    fields = [field.name for field in messages[hook.payload].fields]
    for name in hook.writable:
        if name not in fields:
            yield f"{where}: writable field {name!r} is not in {hook.payload}, which has {', '.join(fields)}"
