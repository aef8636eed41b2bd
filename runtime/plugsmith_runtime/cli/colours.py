"""Colours for people who look at a terminal; none for files, pipes and those who set NO_COLOR."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

_CODES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}


class Colours:
    """Colours text for one stream.

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
