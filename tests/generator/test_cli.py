"""The command line itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from generator import __version__
from generator.cli import main

from .tools import LIMIT, ROOT, plugsmith


def test_the_version() -> None:
    done = plugsmith("--version")
    assert (done.returncode, done.stdout) == (0, f"plugsmith {__version__}\n")


@pytest.mark.parametrize("command", ["new", "stubs", "contract", "fleet"])
def test_each_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: plugsmith {command} " in capsys.readouterr().out
    assert f"\n    {command} " in plugsmith("--help").stdout


@pytest.mark.parametrize("arguments", [[], ["newer"], ["new"], ["contract", "--chek"]])
def test_a_wrong_command_line_is_a_usage_error(arguments: list[str]) -> None:
    done = plugsmith(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: plugsmith")


def test_the_help_loads_no_heavy_module() -> None:
    names = ("copier", "grpc_tools", "pydantic", "jinja2")
    code = (
        "import atexit, sys; from generator.cli import main; "
        f"atexit.register(lambda: print(*(name for name in {names} if name in sys.modules), file=sys.stderr)); "
        "main(['--help'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=True
    )
    assert done.stderr == "\n"
