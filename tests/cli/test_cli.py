"""The registry of commands: what is imported, errors and exit codes, groups, commands that are not installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from plugsmith_runtime.cli import Commands, Group, Program, run

MODULE = """
from plugsmith_runtime.errors import PlugsmithError, StartError

def add_parser(commands):
    parser = commands.add_parser({name!r}, help="do {name}")
    parser.add_argument("--end")
    parser.set_defaults(run=run)

def run(arguments):
    print({name!r}, arguments.package)
    if arguments.end == "problems":
        raise PlugsmithError("first", "second")
    if arguments.end == "start":
        raise StartError("a.yaml: no such file; make it")
    if arguments.end == "interrupt":
        raise KeyboardInterrupt
    return int(arguments.end or 0)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """A program of four commands, of which two are in a group; another one and its package are not installed."""
    for name in ("alpha", "beta", "gamma"):
        (tmp_path / f"command_{name}.py").write_text(MODULE.format(name=name))
    (tmp_path / "command_broken.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    group: Commands = {"beta": "command_beta", "gamma": "command_gamma", "lost": "command_lost"}
    commands: Commands = {
        "alpha": "command_alpha",
        "more": Group("more commands", group),
        "gone": "no_such_folder.command_gone",
    }
    yield Program("tool", "A tool.", commands, version=lambda: "tool 1.2")
    for name in [name for name in sys.modules if name.startswith("command_")]:
        del sys.modules[name]


def imported() -> set[str]:
    return {name.removeprefix("command_") for name in sys.modules if name.startswith("command_")}


def test_only_the_command_that_is_asked_for_is_imported(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(program, ["alpha", "--end", "1"], package="p") == 1
    assert capsys.readouterr().out == "alpha p\n"
    assert imported() == {"alpha"}
    assert run(program, ["more", "gamma"], package="q") == 0
    assert capsys.readouterr().out == "gamma q\n"
    assert imported() == {"alpha", "gamma"}


@pytest.mark.parametrize(
    ("end", "code", "text"),
    [
        ("problems", 2, "error: first\nerror: second\n"),
        ("start", 2, "error: a.yaml: no such file; make it\n"),
        ("interrupt", 130, ""),
    ],
)
def test_errors_are_lines_and_exit_codes(
    program: Program, capsys: pytest.CaptureFixture[str], end: str, code: int, text: str
) -> None:
    assert run(program, ["alpha", "--end", end], package="p") == code
    assert capsys.readouterr().err == text


def test_the_list_of_commands_shows_what_is_installed(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    for words, listed, absent in ((["--help"], ["alpha", "more"], "gone"), (["more", "-h"], ["beta", "gamma"], "lost")):
        with pytest.raises(SystemExit) as ended:
            run(program, words)
        shown = capsys.readouterr().out
        assert ended.value.code == 0
        assert all(f"\n    {name} " in shown for name in listed), shown
        assert absent not in shown


@pytest.mark.parametrize("words", [[], ["gone"], ["alphabet"], ["more"], ["more", "lost"], ["alpha", "--start"]])
def test_a_wrong_command_line_is_a_usage_error(
    program: Program, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(program, words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: tool")


def test_a_command_that_lacks_a_package_is_not_hidden(program: Program) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        run(Program("tool", "", {"broken": "command_broken"}, program.version), ["broken"])


def test_the_version(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(program, ["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, "tool 1.2\n")
    assert imported() == {"alpha", "beta", "gamma"}


def test_a_reader_that_has_enough_is_no_error(program: Program, tmp_path: Path) -> None:
    script = (
        "import sys; from plugsmith_runtime.cli import Program, run; "
        "sys.exit(run(Program('tool', '', {'alpha': 'command_alpha'}, str), ['alpha'], package='p' * 100_000))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], env={"PYTHONPATH": ":".join(sys.path)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), errors) == (1, "")
