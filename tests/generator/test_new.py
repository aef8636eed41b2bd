"""`plugsmith new`: renders a repository, or says in one line why not."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from .tools import LIMIT, ROOT, plugsmith


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files of a rendered repository but for Copier's record of where it came from."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".copier-answers.yml"
    }


def test_answers_reach_the_repository(tmp_path: Path) -> None:
    dest = tmp_path / "new" / "pii-guard"
    hooks = "hooks=tool_pre_invoke, http_pre_request"
    done = plugsmith("new", str(dest), "--defaults", "--data", "plugin_name=PII Guard", "--data", hooks)
    assert done.returncode == 0, done.stderr
    answers = yaml.safe_load((dest / ".copier-answers.yml").read_text("utf-8"))
    assert answers["hooks"] == ["tool_pre_invoke", "http_pre_request"]
    assert answers["plugin_name"] == "PII Guard"
    assert Path(answers["_src_path"]).is_absolute()
    assert (dest / "src" / "pii_guard" / "runtime" / "contract" / "hooks.py").is_file()
    assert {path.name for path in (dest / "proto").iterdir()} >= {
        path.name for path in (ROOT / "proto").glob("*.proto")
    }


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--data", "plugin_name"], "--data 'plugin_name': no answer in it; write --data name=value"),
        (["--data", "plugin_nam=x"], "--data plugin_nam: no such question; did you mean 'plugin_name'?"),
        (["--data", "hooks=tool_pre"], "--data hooks: 'tool_pre' is no choice; did you mean 'tool_pre_invoke'?"),
        (["--data", "transport=x"], "--data transport: 'x' is no choice; choose from http, stdio, grpc, unix"),
        (["--data", "email=ada"], "--data email: this is no e-mail address; "),
        (["--data", "plugin_name=class"], "--data plugin_name: "),
        (["--template", "/nowhere"], "/nowhere: "),
        (["--vcs-ref", "no-such-tag"], f"{ROOT}"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, arguments: list[str], line: str) -> None:
    done = plugsmith("new", str(tmp_path / "plugin"), "--defaults", *arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"plugsmith: {line}")
    if "--vcs-ref" in arguments:  # the middle of the line is Copier's, or git's with older ones
        assert "no-such-tag" in done.stderr and done.stderr.endswith("; check --template and --vcs-ref\n")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "plugin").exists()


def test_computed_names_cannot_be_answered(tmp_path: Path) -> None:
    done = plugsmith("new", str(tmp_path / "plugin"), "--defaults", "--data", "package_name=x")
    assert done.returncode == 2
    assert done.stderr.startswith("plugsmith: --data package_name: no such question; ")


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    done = plugsmith("new", str(tmp_path), "--defaults")
    line = f"plugsmith: {tmp_path}: the folder is not empty; choose another one or pass --overwrite\n"
    assert (done.returncode, done.stderr) == (2, line)
    assert (tmp_path / "README.md").read_text("utf-8") == "mine"


def test_overwriting_restores_what_is_managed(tmp_path: Path) -> None:
    assert plugsmith("new", str(tmp_path / "p"), "--defaults").returncode == 0
    before = tree(tmp_path / "p")
    (tmp_path / "p" / "src" / "my_plugin" / "runtime" / "contract" / "hooks.py").write_text("", encoding="utf-8")
    assert plugsmith("new", str(tmp_path / "p"), "--defaults", "--overwrite").returncode == 0
    assert tree(tmp_path / "p") == before


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "plugin").touch()
    done = plugsmith("new", str(tmp_path / "plugin"), "--defaults")
    line = f"plugsmith: {tmp_path}/plugin: a file of that name exists; choose another folder\n"
    assert (done.returncode, done.stderr) == (2, line)


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    done = plugsmith("new", str(tmp_path / "plugin"))
    line = "plugsmith: no terminal to ask on; pass --defaults, and --data name=value for what should differ\n"
    assert (done.returncode, done.stderr) == (2, line)


def test_ctrl_c_at_a_question_ends_without_a_trace(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "generator", "new", str(tmp_path / "plugin")],
        cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        seen = read_until(ours, b"name")
        os.write(ours, b"\x03")
        process.wait(LIMIT)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(ours)
    assert process.returncode == 130, seen
    assert not (tmp_path / "plugin").exists()


def read_until(terminal: int, text: bytes) -> bytes:
    """Read from a terminal until it shows a text."""
    seen, end = b"", time.monotonic() + LIMIT
    while text not in seen:
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert ready, seen
        seen += os.read(terminal, 4096)
    return seen
