"""The cases, compiled once for all tests."""

from pathlib import Path

import pytest

from tests.stubs.harness import MODES, USABLE, build


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder that holds the package of each case in each mode."""
    root = tmp_path_factory.mktemp("packages")
    for mode in MODES:
        for case in USABLE:
            build(case, mode, root, root.with_name("protos"))
    return root
