"""How long certificates live."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import StartError

VARIABLE = "MCP_CERT_DAYS"

LEAF_DEFAULT = 365
"""A year: servers take a renewed certificate without a restart; a longer life would only keep a lost key alive."""

LEAF_LIMIT = 825
"""The longest life that Apple's TLS accepts of a server under a private authority; the gateway's own default too."""

CA_DEFAULT = CA_LIMIT = 3650
"""Ten years: a new authority must be brought to every peer, and the limit for servers does not count for it."""


def leaf_days(given: int | None, environ: Mapping[str, str]) -> int:
    """The lifetime of a server's or client's certificate in days.

    Args:
        given: the command line's --days.
        environ: the environment, with MCP_CERT_DAYS.

    Raises:
        StartError: it is out of range.
    """
    if given is not None:
        return _within(given, "--days", LEAF_LIMIT)
    text = environ.get(VARIABLE, "").strip()
    if not text:
        return LEAF_DEFAULT
    if not text.isdecimal():
        raise StartError(f"{VARIABLE} is {text!r}: set it to a number of days from 1 to {LEAF_LIMIT}")
    return _within(int(text), VARIABLE, LEAF_LIMIT)


def ca_days(given: int | None) -> int:
    """The lifetime of the authority's certificate in days.

    Raises:
        StartError: it is out of range.
    """
    return CA_DEFAULT if given is None else _within(given, "--days", CA_LIMIT)


def _within(days: int, where: str, limit: int) -> int:
    if not 1 <= days <= limit:
        raise StartError(f"{where} is {days}: set it to a number of days from 1 to {limit}")
    return days
