"""What hooks.proto says, without protobuf: the only thing that the templates see."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class TypeName:
    """The Python type of a field.

    Attributes:
        text: the type in Python, without `| None`.
        messages: names of the messages that the type mentions.
        empty: the factory of the empty value (`dict`, `list`), or None for types without one.
        sample: a value for examples.
    """

    text: str
    messages: tuple[str, ...] = ()
    empty: str | None = None
    sample: Any = None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    Attributes:
        optional: None stands for a missing value.
        default: the default as Python source; None when the field is required.
    """

    name: str
    type: TypeName
    optional: bool
    default: str | None
    doc: str

    @property
    def required(self) -> bool:
        return self.default is None

    @property
    def annotation(self) -> str:
        """The type as hooks.py writes it: with None, or with null taken for the empty value."""
        if self.optional:
            return f"{self.type.text} | None"
        if self.required or not self.type.empty:
            return self.type.text
        return f"Annotated[{self.type.text}, _NULL_IS_EMPTY_{self.type.empty.upper()}]"

    @property
    def shown_type(self) -> str:
        """The type as the reference shows it."""
        return f"{self.type.text} | None" if self.optional else self.type.text

    @property
    def shown_default(self) -> str:
        """The default as the reference shows it."""
        if self.default is None:
            return "required"
        shown = {"Field(default_factory=dict)": "{}", "Field(default_factory=list)": "[]"}
        return f"`{shown.get(self.default, self.default)}`"


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `root` is the type of the value that a root message stands for."""

    name: str
    doc: str
    fields: tuple[Field, ...]
    root: TypeName | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook: its messages and what gateways know about it.

    Attributes:
        modified: the type of the result's modified_payload.
        modified_doc: what the contract says of it.
    """

    name: str
    group: str
    since: str
    writable: tuple[str, ...]
    doc: str
    payload: str
    result: str
    result_doc: str
    modified: TypeName
    modified_doc: str


@dataclass(frozen=True)
class HookContract:
    """All hooks and their messages, in the contract's order; a message stands after those that it refers to."""

    hooks: tuple[Hook, ...]
    messages: tuple[Message, ...]
    result: Message

    @cached_property
    def payloads(self) -> frozenset[str]:
        """Names of the messages that are payloads, and so frozen: what hooks receive and return, and root messages."""
        names = {hook.payload for hook in self.hooks}
        names.update(name for hook in self.hooks for name in hook.modified.messages)
        names.update(message.name for message in self.messages if message.root)
        return frozenset(names)

    def roots(self, message: Message) -> dict[str, str]:
        """Returns the fields of a message that hold a root message, with that message's name."""
        types = {field.name: field.type.text for field in message.fields}
        return {name: text for name, text in types.items() if any(m.root and m.name == text for m in self.messages)}

    @cached_property
    def shared(self) -> list[Message]:
        """The messages that no hook has for itself as its payload."""
        return [message for message in self.messages if message.name not in {hook.payload for hook in self.hooks}]

    @cached_property
    def has_default_lists(self) -> bool:
        """Whether a list may be missing."""
        return any("_LIST" in field.annotation for m in (*self.messages, self.result) for field in m.fields)

    @cached_property
    def groups(self) -> dict[str, list[Hook]]:
        """Hooks by group."""
        groups: dict[str, list[Hook]] = {}
        for hook in self.hooks:
            groups.setdefault(hook.group, []).append(hook)
        return groups

    def message(self, name: str) -> Message:
        """Returns the message of that name.

        Raises:
            KeyError: there is none.
        """
        return {message.name: message for message in self.messages}[name]
