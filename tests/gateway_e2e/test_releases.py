"""Gateways whose Python is missing are left out, with the reason."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.releases import GatewayRelease
from tests.support.pythons import find_python

from .conftest import skip_without_python

HERE = platform.python_version().rpartition(".")[0]


def test_a_python_that_is_there_is_found() -> None:
    found = find_python(HERE)
    assert found is not None
    asked = [str(found), "-c", "import platform; print(platform.python_version())"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.startswith(f"{HERE}.")


def test_a_script_that_only_looks_like_a_python_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # pyenv's scripts for versions that are not switched on; and a script of another version's name.
    for name, line in {f"python{HERE}": "exit 127", "python9.9": f'exec {sys.executable} "$@"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert find_python(HERE) is not None
    assert find_python("9.9") is None


def test_a_missing_python_is_a_skip_with_its_reason() -> None:
    release = GatewayRelease("2.0.0", "9.9", (), reads_plugin_dirs=True)
    with pytest.raises(pytest.skip.Exception, match=r"gateway 2\.0\.0 needs Python 9\.9, and there is none here"):
        skip_without_python(release)
