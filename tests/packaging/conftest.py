"""A rendered repository, and images that are built from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environments import environment, environments_home
from tests.support.rendering import ALL_HOOKS, RenderedPlugin, rendered_plugin
from tests.support.rendering import render as render_repository
from tests.support.serving import run
from tests.template.conftest import render  # noqa: F401  # a fixture
from tests.template.package_mode import runtime_wheel

from .image import Image, ordinary_user, own


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> RenderedPlugin:
    """A plugin with certificates, which can be served."""
    folder = tmp_path_factory.mktemp("shipping") / "plugin"
    made = rendered_plugin(folder, "grpc", "certs", plugin_name="PII Guard", hooks=ALL_HOOKS)
    done = run(made, "certs", "all")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="session")
def root(plugin: RenderedPlugin) -> Path:
    """A repository with everything that can be shipped, with certificates."""
    return plugin.root


@pytest.fixture(scope="session", params=["vendored", pytest.param("package", marks=pytest.mark.full)])
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image with gRPC, built as an ordinary user would have to, with the runtime in each of its two ways."""
    if request.param == "vendored":
        root: Path = request.getfixturevalue("root")
    else:
        root = tmp_path_factory.mktemp("packaged") / "plugin"
        render_repository(root, plugin_name="PII Guard", hooks=ALL_HOOKS, runtime="package")
        (root / "wheelhouse").mkdir()
        shutil.copy(runtime_wheel(), root / "wheelhouse")
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
        new_enough = [str(made), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            if subprocess.run(new_enough, check=False, **ordinary_user()).returncode == 0:
                return made
        except PermissionError:
            continue
    pytest.skip("no Python 3.11 that an ordinary user may run")
