"""`buf lint` and `buf breaking` guard the contract: `nox -s proto` runs the same two commands."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_RELEASED = Path(__file__).parent / "released"


def _buf(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("buf")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def _changed(tmp_path: Path, file: str, old: str, new: str) -> Path:
    proto = tmp_path / "proto"
    shutil.copytree(_ROOT / "proto", proto)
    text = (proto / file).read_text("utf-8")
    assert text.count(old) >= 1
    (proto / file).write_text(text.replace(old, new, 1), "utf-8")
    return proto


def test_contract_is_clean() -> None:
    assert _buf("lint", _ROOT / "proto").stdout == ""
    assert _buf("breaking", _ROOT / "proto", "--against", _RELEASED).stdout == ""


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("plugin_service.proto", "string hook_type = 1;", "string hook_type = 9;", "hook_type"),
        ("plugin_service.proto", "string hook_type = 1;", "string hook = 1;", "hook_type"),
        ("plugin_service.proto", "bool found = 1;", "string found = 1;", "found"),
        ("plugin_service.proto", "package cpex;", "package cpex2;", "cpex"),
        ("plugin_service.proto", "rpc InvokeHook(", "rpc Invoke(", "InvokeHook"),
        ("hooks.proto", "message ToolPreInvokePayload {", "message ToolPayload {", "ToolPreInvokePayload"),
    ],
)
def test_a_break_fails(file: str, old: str, new: str, expected: str, tmp_path: Path) -> None:
    done = _buf("breaking", _changed(tmp_path, file, old, new), "--against", _RELEASED)
    assert done.returncode != 0 and expected in done.stdout, done.stdout + done.stderr


def test_an_addition_passes(tmp_path: Path) -> None:
    proto = _changed(
        tmp_path, "plugin_service.proto", "bool found = 1;", "bool found = 1;\n  // New.\n  bool more = 3;"
    )
    done = _buf("breaking", proto, "--against", _RELEASED)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint_wants_comments(tmp_path: Path) -> None:
    proto = _changed(tmp_path, "plugin_service.proto", "bool found = 1;", "bool found = 1;\n  bool more = 3;")
    done = _buf("lint", proto)
    assert done.returncode != 0 and "more" in done.stdout, done.stdout + done.stderr
