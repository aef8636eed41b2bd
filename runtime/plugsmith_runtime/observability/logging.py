"""Logging: records go to standard error, as text for people or JSON for programs.

Standard output stays free for protocols. Both formats keep what callers send out of the log: control characters cannot
forge lines, and the text of an exception, which may hold a piece of a payload, is written only when debugging.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from ..errors import StartError

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_MAX_FIELD_CHARS = 128
_MAX_EXCEPTIONS = 5
_MAX_FRAMES = 20

# Control characters, and those that turn the direction of text or end a line in some programs only.
_HIGH_CODE_POINTS = [0x7F, *range(0x80, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_LOW_CODE_POINTS = list(range(0x20))


def _escapes(codes: list[int]) -> dict[int, str]:
    named = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
    return {code: named.get(code, f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}") for code in codes}


_TEXT_ESCAPES = _escapes([*_LOW_CODE_POINTS, *_HIGH_CODE_POINTS])
# JSON has escapes of its own for the low ones.
_JSON_ESCAPES = _escapes(_HIGH_CODE_POINTS)


def escape(text: str, table: dict[int, str] = _TEXT_ESCAPES) -> str:
    """Escape what must not reach a log as it is: control characters and lone surrogates.

    Args:
        text: text from anywhere.
        table: the characters to escape.
    """
    if text.isprintable():
        return text
    return text.translate(table).encode("utf-8", "backslashreplace").decode()


def truncate(text: str) -> str:
    """Shorten what callers or plugins choose, so that it cannot fill the log."""
    return text[:_MAX_FIELD_CHARS]


def rfc3339(moment: float) -> str:
    """Write a Unix time in UTC, with milliseconds."""
    whole = int(moment)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int((moment - whole) * 1000):03d}Z"


class LogFormatter(logging.Formatter):
    """The base of both formats.

    Args:
        exception_texts: whether the texts of exceptions are written, beside their types and places.
        hint: what is written in place of them.
    """

    def __init__(self, exception_texts: bool, hint: str) -> None:
        super().__init__()
        self.exception_texts = exception_texts
        self.hint = hint

    def message(self, record: logging.LogRecord) -> str:
        """The record's message; one that cannot be put together is written as it is, so that none is lost."""
        try:
            return record.getMessage().rstrip()
        except Exception:
            return str(record.msg)

    def exceptions(self, record: logging.LogRecord) -> list[dict[str, Any]]:
        """The record's exception and those that led to it: type, places, and text if it may be written."""
        found = record.exc_info[1] if record.exc_info else None
        return [self._describe(error) for error in _chain(found)] if found is not None else []

    def _describe(self, error: BaseException) -> dict[str, Any]:
        described: dict[str, Any] = {"type": _type_name(error), "at": list(_frames(error.__traceback__))}
        if self.exception_texts:
            described["text"] = _text(error)
        return described


class TextFormatter(LogFormatter):
    """One line for each record, and indented lines for an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        head = f"{rfc3339(record.created)} {record.levelname} {record.name}: {escape(self.message(record))}"
        lines = [" ".join([head, *(f"{name}={_value(value)}" for name, value in _fields(record).items())])]
        exceptions = self.exceptions(record)
        for number, error in enumerate(exceptions):
            text = f": {escape(error['text'])}" if error.get("text") else ""
            lines.append(f"  {'after ' if number else ''}{error['type']}{text}")
            lines += [f"    at {escape(frame)}" for frame in error["at"]]
        if exceptions and not self.exception_texts:
            lines.append(f"  ({self.hint})")
        return "\n".join(lines)


class JsonFormatter(LogFormatter):
    """One JSON object in one line for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        import orjson

        written: dict[str, Any] = {
            "time": rfc3339(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message(record),
            **_fields(record),
        }
        if exceptions := self.exceptions(record):
            written["exceptions"] = exceptions
            if not self.exception_texts:
                written["hint"] = self.hint
        return orjson.dumps(_escaped(written), default=str).decode()


FORMATS = {"text": TextFormatter, "json": JsonFormatter}


def set_up_logging(
    level: str, form: str, *, level_setting: str, format_setting: str, exception_texts_setting: str
) -> None:
    """Send all log records of this process, those of libraries and of Python's warnings too, to standard error.

    Args:
        level: the least level that is written, for example "INFO".
        form: "text", or "json" for one JSON object in each line.
        level_setting: where the level was set, for messages.
        format_setting: where the format was set.
        exception_texts_setting: what to set for the texts of exceptions, which only DEBUG shows.

    Raises:
        StartError: there is no such level or format.
    """
    level, form = level.upper(), form.lower()
    if level not in LEVELS:
        raise StartError(f"{level_setting}: unknown level {level!r}; choose from {', '.join(LEVELS)}")
    if form not in FORMATS:
        raise StartError(f"{format_setting}: unknown format {form!r}; choose from {', '.join(FORMATS)}")
    handler = logging.StreamHandler(sys.stderr)
    hint = f"the texts of exceptions may hold data of calls: {exception_texts_setting} shows them"
    handler.setFormatter(FORMATS[form](level == "DEBUG", hint))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)


def show_exception_texts() -> None:
    """Write the texts of exceptions too, for those who call the server with data of their own."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, LogFormatter):
            handler.formatter.exception_texts = True


def announce(text: str) -> None:
    """Write a line that people and programs wait for, whatever level is logged.

    Args:
        text: the line; with the text format it stands alone, with JSON it is the message of a record.
    """
    formatter = next((handler.formatter for handler in logging.getLogger().handlers), None)
    if isinstance(formatter, JsonFormatter):
        record = logging.LogRecord(__name__, logging.INFO, __file__, 0, text, None, None)
        text = formatter.format(record)
    print(text, file=sys.stderr, flush=True)


def log_loop_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody caught in the event loop; for `loop.set_exception_handler`.

    The loop's own handler writes out tasks and arguments, and with them what callers sent.
    """
    text = str(context.get("message") or "unhandled exception in the event loop")
    logger = logging.getLogger("asyncio")
    logger.error("%s", text.partition("(")[0].partition("<")[0].strip(), exc_info=context.get("exception"))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says beside its message, given as `extra={"fields": ...}`; what is empty is left out."""
    given: dict[str, Any] = getattr(record, "fields", None) or {}
    return {name: value for name, value in given.items() if value not in ("", None)}


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value, _JSON_ESCAPES)
    if isinstance(value, dict):
        return {name: _escaped(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value


def _value(value: Any) -> str:
    text = escape(str(value).replace("\\", "\\\\"))
    return '"' + text.replace('"', '\\"') + '"' if not text or any(mark in text for mark in ' "=') else text


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its text cannot be made)"


def _frames(traceback_: TracebackType | None) -> Iterator[str]:
    for frame in traceback.extract_tb(traceback_)[-_MAX_FRAMES:]:
        yield f"{frame.filename}:{frame.lineno} {frame.name}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, those inside it when it is a group, and those that it came from; a few at most."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting and len(seen) < _MAX_EXCEPTIONS:
        current = waiting.pop(0)
        if current is None or any(current is other for other in seen):
            continue
        seen.append(current)
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions
        waiting.append(current.__cause__ or (None if current.__suppress_context__ else current.__context__))
