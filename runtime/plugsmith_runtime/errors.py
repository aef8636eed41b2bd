"""The errors of plugsmith, below one base.

    PlugsmithError                  what a person can cause; also the base of all others
    ├── StartError                  something to put right before a command can do its work
    ├── EncodeError                 a value that the wire cannot carry
    ├── DecodeError                 bytes that are not what the protocol allows
    └── RequestNotSentError         a call that has not left, because its connection is gone

The layers add their own below these: `host.errors` what hooks raise, each engine what its protocol knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class PlugsmithError(Exception):
    """The base of all errors of plugsmith.

    Args:
        problems: what is wrong, where, and what to do; one line for each thing that is wrong.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Sequence[str] = problems


class StartError(PlugsmithError):
    """Something that a person must put right before a command can do its work.

    Commands print its one line (what is wrong, where, and what to do) and exit with code 2.
    """


class EncodeError(PlugsmithError, ValueError):
    """A value that cannot be written on the wire without changing it.

    Args:
        path: where the value stands, for example "result.modified_payload.args.x[3]".
        reason: why it cannot be written.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def below(self, name: str) -> EncodeError:
        """The same about a value that stands in another one: `name` comes before its path."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        return EncodeError(f"{name}{dot}{self.path}", self.reason)


class DecodeError(PlugsmithError, ValueError):
    """Bytes that are not what a protocol or format allows."""


class RequestNotSentError(PlugsmithError, ConnectionError):
    """A call of which nothing has left, because its connection is gone; it may be made again on another connection."""


def validation_message(error: ValidationError, prefix: str = "") -> str:
    """Say what a validation error found, in one line that holds paths and reasons but no input values.

    Args:
        error: the error of pydantic.
        prefix: the path of the value that was validated, for example "payload".
    """
    parts = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        path = ".".join(part for part in (prefix, *map(str, item["loc"])) if part)
        parts.append(f"{path}: {item['msg']}" if path else item["msg"])
    return "; ".join(parts)
