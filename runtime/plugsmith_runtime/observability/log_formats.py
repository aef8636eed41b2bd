"""How log records are written: as text for people, or as JSON for programs.

Both keep what callers send out of the log: control characters cannot forge lines, and the text of an exception, which
may hold a piece of a payload, is written only when debugging.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

_HINT = "the texts of exceptions may hold data of calls: PLUGINS_LOG_LEVEL=DEBUG shows them"

_LONGEST = 128
_CHAIN = 5
_FRAMES = 20

# Control characters, and those that turn the direction of text or end a line in some programs only.
_HIGH = [0x7F, *range(0x80, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_LOW = list(range(0x20))


def _escaped(codes: list[int]) -> dict[int, str]:
    named = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
    return {code: named.get(code, f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}") for code in codes}


_FOR_TEXT = _escaped([*_LOW, *_HIGH])
# JSON has escapes of its own for the low ones.
_FOR_JSON = _escaped(_HIGH)


def clean(text: str, table: dict[int, str] = _FOR_TEXT) -> str:
    """Escape what must not reach a log as it is: control characters and lone surrogates.

    Args:
        text: text from anywhere.
        table: the characters to escape.
    """
    if text.isprintable():
        return text
    return text.translate(table).encode("utf-8", "backslashreplace").decode()


def clipped(text: str) -> str:
    """Shorten what callers or plugins choose, so that it cannot fill the log."""
    return text[:_LONGEST]


def rfc3339(moment: float) -> str:
    """Write a Unix time in UTC, with milliseconds."""
    whole = int(moment)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int((moment - whole) * 1000):03d}Z"


class LogFormatter(logging.Formatter):
    """What both formats share.

    Args:
        exception_texts: whether the texts of exceptions are written, beside their types and places.
    """

    def __init__(self, exception_texts: bool) -> None:
        super().__init__()
        self.exception_texts = exception_texts

    def message(self, record: logging.LogRecord) -> str:
        """The record's message; one that cannot be put together is written as it is, so that none is lost."""
        try:
            return record.getMessage().rstrip()
        except Exception:
            return str(record.msg)

    def problems(self, record: logging.LogRecord) -> list[dict[str, Any]]:
        """The record's exception and those that led to it: type, places, and text if it may be written."""
        found = record.exc_info[1] if record.exc_info else None
        return [self._problem(problem) for problem in _chain(found)] if found is not None else []

    def _problem(self, problem: BaseException) -> dict[str, Any]:
        told: dict[str, Any] = {"type": _type_name(problem), "at": list(_places(problem.__traceback__))}
        if self.exception_texts:
            told["text"] = _text(problem)
        return told


class TextFormatter(LogFormatter):
    """One line for each record, and indented lines for an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        head = f"{rfc3339(record.created)} {record.levelname} {record.name}: {clean(self.message(record))}"
        lines = [" ".join([head, *(f"{name}={_value(value)}" for name, value in _fields(record).items())])]
        problems = self.problems(record)
        for number, problem in enumerate(problems):
            text = f": {clean(problem['text'])}" if problem.get("text") else ""
            lines.append(f"  {'after ' if number else ''}{problem['type']}{text}")
            lines += [f"    at {clean(place)}" for place in problem["at"]]
        if problems and not self.exception_texts:
            lines.append(f"  ({_HINT})")
        return "\n".join(lines)


class JsonFormatter(LogFormatter):
    """One JSON object in one line for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        import orjson

        told: dict[str, Any] = {
            "time": rfc3339(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message(record),
            **_fields(record),
        }
        if problems := self.problems(record):
            told["exceptions"] = problems
            if not self.exception_texts:
                told["hint"] = _HINT
        return orjson.dumps(_cleaned(told), default=str).decode()


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says beside its message, given as `extra={"fields": ...}`; what is empty is left out."""
    given: dict[str, Any] = getattr(record, "fields", None) or {}
    return {name: value for name, value in given.items() if value not in ("", None)}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value, _FOR_JSON)
    if isinstance(value, dict):
        return {name: _cleaned(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value


def _value(value: Any) -> str:
    text = clean(str(value).replace("\\", "\\\\"))
    return '"' + text.replace('"', '\\"') + '"' if not text or any(mark in text for mark in ' "=') else text


def _type_name(problem: BaseException) -> str:
    kind = type(problem)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text(problem: BaseException) -> str:
    try:
        return str(problem)
    except Exception:
        return "(its text cannot be made)"


def _places(trace: TracebackType | None) -> Iterator[str]:
    for frame in traceback.extract_tb(trace)[-_FRAMES:]:
        yield f"{frame.filename}:{frame.lineno} {frame.name}"


def _chain(problem: BaseException | None) -> Iterator[BaseException]:
    """An exception, those inside it when it is a group, and those that it came from; a few at most."""
    seen: list[BaseException] = []
    waiting = [problem]
    while waiting and len(seen) < _CHAIN:
        current = waiting.pop(0)
        if current is None or any(current is other for other in seen):
            continue
        seen.append(current)
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions
        waiting.append(current.__cause__ or (None if current.__suppress_context__ else current.__context__))
