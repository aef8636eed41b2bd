"""JSON that a person has written on the command line."""

from __future__ import annotations

import json
from typing import Any

from ..errors import StartError


def json_value(text: str, what: str) -> Any:
    """Read it.

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
