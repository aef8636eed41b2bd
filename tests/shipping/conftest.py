"""A rendered repository, and images that are built from it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environments import environment, environments_home
from tests.support.rendering import render

from .image import Image, ordinary_user, own


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with everything that can be shipped, and nothing installed."""
    return render(tmp_path_factory.mktemp("shipping") / "plugin", plugin_name="PII Guard")


@pytest.fixture(scope="session")
def image(root: Path) -> Iterator[Image]:
    """The image with gRPC, built as an ordinary user would have to."""
    cache = environments_home() / f"pip-cache-{ordinary_user().get('user', os.geteuid())}"
    cache.mkdir(exist_ok=True)
    own(cache)
    with tempfile.TemporaryDirectory(prefix="ps-image-") as folder:
        Path(folder).chmod(0o755)
        yield Image(root, Path(folder), base_python(), cache, INSTALL_GRPC="true")


def base_python() -> Path:
    """A Python with pip that the ordinary user may run: the tests' own, or the system's when that is out of reach."""
    for python in (sys.executable, "/usr/bin/python3"):
        made = environment("pip", ["pip>=25"], python)
        new_enough = [made, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            if subprocess.run(new_enough, check=False, **ordinary_user()).returncode == 0:
                return made
        except PermissionError:
            continue
    pytest.skip("no Python 3.11 that an ordinary user may run")
