"""A repository as its author has it: rendered, with all the tools that its dev extra names."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from plugsmith_runtime.tools.check.managed_files import MANIFEST, file_digests, render_manifest

from tests.support.rendering import RenderedPlugin, rendered_plugin
from tests.support.serving import environ


@pytest.fixture(scope="session")
def author(tmp_path_factory: pytest.TempPathFactory) -> RenderedPlugin:
    """A repository rendered with the defaults."""
    plugin = rendered_plugin(tmp_path_factory.mktemp("author") / "my-plugin", "grpc", "certs", "dev")
    # As released: between two runs of `nox -s stubs`, which tests/generator asks for, the digests may be out of date.
    runtime = plugin.root / "src" / plugin.package / "runtime"
    (runtime / MANIFEST).write_text(render_manifest(file_digests(runtime)))
    return plugin


@pytest.fixture
def run_tests(author: RenderedPlugin) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run the text of a test module in the repository, with its settings and fixtures."""

    def run_tests(text: str) -> subprocess.CompletedProcess[str]:
        path = Path(author.root, "tests", "test_written.py")
        path.write_text(text)
        try:
            return subprocess.run(
                [author.python, "-m", "pytest", path], cwd=author.root, env=environ(author), capture_output=True,
                text=True, check=False,
            )  # fmt: skip
        finally:
            path.unlink()

    return run_tests
