"""The table in docs/compatibility.md is that of a run with every case, and with nothing that went wrong."""

from __future__ import annotations

from .table import cells, table, written


def test_the_document_shows_every_case_as_passed() -> None:
    assert written() == table(cells())


def test_what_went_wrong_shows() -> None:
    assert "**no**" in table(cells()[1:])
