"""Fixtures of the generator's tests."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from generator.contract_files import CONTRACT

from .tools import ROOT, copy_checkout, load


@pytest.fixture(scope="session")
def hooks() -> ModuleType:
    """The generated hook models."""
    return load(ROOT / CONTRACT / "hooks.py", "generated_hooks")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the generator reads and writes."""
    return copy_checkout(tmp_path / "checkout")
