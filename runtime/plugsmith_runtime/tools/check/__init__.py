"""What `check` looks at before a server starts: each finding says what is wrong and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...errors import StartError

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: versions, config, certificates, ports or sockets.
        level: ok; note for what is worth knowing; problem for what must be put right before the server can do its work.
        text: what was found.
        todo: what to do about it; empty when there is nothing to do.
    """

    subject: str
    level: Level
    text: str
    todo: str = ""


def problem(subject: str, error: StartError) -> Finding:
    """The finding for an error whose text says what is wrong and, behind a semicolon, what to do."""
    text, _, todo = str(error).rpartition("; ")
    return Finding(subject, "problem", text or todo, todo if text else "")
