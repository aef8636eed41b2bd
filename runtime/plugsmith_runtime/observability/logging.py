"""Logging set-up: records go to standard error, so that standard output stays free for protocols."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

from ..errors import StartError
from .log_formats import JsonFormatter, LogFormatter, TextFormatter

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
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
