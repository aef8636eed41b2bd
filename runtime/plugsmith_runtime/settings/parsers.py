"""Parsers of settings: text, or a value of a YAML file, becomes the setting's type; ValueError says what it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SWITCH_WORDS = {
    "1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False,
}  # fmt: skip


def port(value: Any) -> int:
    """A TCP port; 0 asks for a free one."""
    number = int(value)
    if not 0 <= number <= 65535:
        raise ValueError("a port is a number from 0 to 65535")
    return number


def positive(value: Any) -> float:
    """A finite number above 0, for example of seconds."""
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError("must be a number above 0")
    return number


def count(value: Any) -> int:
    """A whole number above 0."""
    number = int(value)
    if number < 1:
        raise ValueError("must be a whole number above 0")
    return number


def size(value: Any) -> int:
    """A number of bytes from 1 KiB to 1 GiB."""
    number = int(value)
    if not 1024 <= number <= 1 << 30:
        raise ValueError("must be a number of bytes from 1024 to 1073741824")
    return number


def switch(value: Any) -> bool:
    """On or off."""
    word = str(value).strip().lower()
    if word not in _SWITCH_WORDS:
        raise ValueError("must be true or false")
    return _SWITCH_WORDS[word]


def one_of(*words: str) -> Callable[[Any], str]:
    """A parser of one of some words, in upper or lower case."""

    def parse(value: Any) -> str:
        word = str(value).strip().lower()
        if word not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return word

    return parse


def names(value: Any) -> tuple[str, ...]:
    """A list of names, or text with commas between them; each name once."""
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return tuple(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))


def user_ids(value: Any) -> tuple[int, ...]:
    """Numbers of users, as `names` reads them."""
    try:
        return tuple(int(name) for name in names(value))
    except ValueError:
        raise ValueError("must be user ids (numbers), separated by commas") from None


def token(value: Any) -> str:
    """A shared secret that fits into an HTTP header."""
    text = str(value)
    if not (len(text) >= 16 and text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("a token has at least 16 characters of ASCII, and no spaces")
    return text
