"""Colours for people who look at a terminal, and the JSON that they type."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, TextIO

from ..errors import StartError

_CODES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}


class Colours:
    """Colours for the text of one stream; none for files, pipes and those who set NO_COLOR.

    Args:
        stream: where the text will be written; only a terminal gets colours.
        environ: the environment, of which NO_COLOR and TERM count; that of the process when None.
    """

    def __init__(self, stream: TextIO, environ: Mapping[str, str] | None = None) -> None:
        variables = os.environ if environ is None else environ
        self.on = stream.isatty() and not variables.get("NO_COLOR") and variables.get("TERM") != "dumb"

    def __call__(self, text: str, *names: str) -> str:
        """Colour a text.

        Args:
            text: the text.
            names: red, green, yellow, cyan, bold, dim.
        """
        if not self.on or not names:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"


def json_argument(text: str, what: str) -> Any:
    """The value of a JSON argument.

    Args:
        text: the JSON.
        what: what it is, for the error.

    Raises:
        StartError: it is no JSON.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise StartError(f"{what} is not JSON: {error}") from error
