"""Puts messages behind those that they refer to, so that the models need no forward references."""

from ..errors import ContractError
from .model import Message


def in_order(messages: list[Message]) -> list[Message]:
    """Returns the messages sorted, otherwise in the order given.

    Raises:
        ContractError: a message refers to itself, directly or through others.
    """
    by_name = {message.name: message for message in messages}
    done: dict[str, Message] = {}

    def visit(message: Message, path: tuple[str, ...]) -> None:
        if message.name in path:
            circle = " -> ".join((*path[path.index(message.name) :], message.name))
            raise ContractError(f"{circle} is a circle; use google.protobuf.Value for one of the fields")
        if message.name not in done:
            for name in [name for field in message.fields for name in field.type.messages if name in by_name]:
                visit(by_name[name], (*path, message.name))
            done[message.name] = message

    for message in messages:
        visit(message, ())
    return list(done.values())
