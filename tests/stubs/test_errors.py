"""Errors that a person can cause: one readable line each, exit code 2, and nothing written."""

import os
from pathlib import Path

import pytest

from generator.cli import main
from tests.stubs.harness import CASES

_GOOD = {"a.proto": 'syntax = "proto3"; message A {}'}


def _tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def _refused(capsys: pytest.CaptureFixture[str], out: Path, *arguments: str) -> list[str]:
    """Runs the command, which must fail and leave `out` as it was; returns the lines of the error."""
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")} if out.exists() else None
    assert main(["stubs", "--out", str(out), *arguments]) == 2
    assert before == ({path: path.stat().st_mtime_ns for path in out.rglob("*")} if out.exists() else None)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert all(line.startswith("plugsmith: ") for line in lines), shown.err
    return [line.removeprefix("plugsmith: ") for line in lines]


_BAD_TREES = {
    "syntax": ({"a.proto": "syntax = 'proto3';\nmessage A {\n  string name = ;\n}\n"}, "a.proto:3:17: "),
    "missing import": ({"a.proto": 'syntax = "proto3"; import "gone.proto";'}, "gone.proto: File not found."),
    "unknown type": ({"a.proto": 'syntax = "proto3"; message A { Gone g = 1; }'}, '"Gone" is not defined'),
    "duplicate symbol": (
        {"a.proto": 'syntax = "proto3"; message A {}', "b.proto": 'syntax = "proto3"; import "a.proto"; message A {}'},
        '"A" is already defined',
    ),
    "keyword folder": ({"x/import/a.proto": 'syntax = "proto3";'}, '"import" is a Python keyword'),
    "no identifier": ({"1st/a.proto": 'syntax = "proto3";'}, '"1st" is not a Python identifier'),
    "same module": (
        {"a-b.proto": 'syntax = "proto3";', "a_b.proto": 'syntax = "proto3";'},
        "a_b.proto: gives the same Python module as a-b.proto, a_b_pb2: rename one of them",
    ),
    "module and folder": (
        {"a.proto": 'syntax = "proto3";', "a_pb2/b.proto": 'syntax = "proto3";'},
        "a_pb2/b.proto: its folder has the name of the module made from a.proto: rename one of them",
    ),
    "keyword method": (
        {"a.proto": 'syntax = "proto3"; package p; message T {} service S { rpc import(T) returns (T); }'},
        'a.proto: rpc p.S.import: "import" is a Python keyword',
    ),
    "keyword service": (
        {"a.proto": 'syntax = "proto3"; message T {} service class { rpc Get(T) returns (T); }'},
        'a.proto: service class: "class" is a Python keyword',
    ),
    "keyword request type": (
        {"a.proto": 'syntax = "proto3"; message T { message def {} } service S { rpc Get(T.def) returns (T); }'},
        'a.proto: rpc S.Get: the name of its request type "def" is a Python keyword',
    ),
    "folder of the pool": (
        {"_pool/a.proto": 'syntax = "proto3";'},
        "_pool/a.proto: _pool is the module of the private descriptor pool: rename the folder, or take --shared-pool",
    ),
    "leading dash": ({"-a/b.proto": 'syntax = "proto3";'}, "-a/b.proto: begins with a dash"),
    "no files": ({"readme.txt": ""}, "no .proto file in this folder"),
}


@pytest.mark.parametrize("name", _BAD_TREES)
def test_bad_trees(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, expected = _BAD_TREES[name]
    out = _tree(tmp_path / "out", {"a_pb2.py": "# of somebody\n"})
    lines = _refused(capsys, out, "--proto", str(_tree(tmp_path / "protos", files)))
    assert any(expected in line for line in lines), lines


def test_all_problems_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = _refused(capsys, tmp_path / "out", "--proto", str(CASES / "keyword_path" / "protos"))
    assert len(lines) == 2 and "2nd/other.proto" in lines[0] and "api/class/thing.proto" in lines[1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--proto", "gone"], "gone: no such folder"),
        (["--proto", ".", "gone.proto"], "gone.proto: no such file in ."),
        (["--descriptor-set", "gone.bin"], "gone.bin: not a readable descriptor set"),
        (["--descriptor-set", "a.proto"], "a.proto: not a readable descriptor set"),
        (["--proto", ".", "--package-root", "elsewhere"], "not below the package root elsewhere"),
    ],
)
def test_bad_arguments(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(_tree(tmp_path, _GOOD))
    lines = _refused(capsys, tmp_path / "out", *arguments)
    assert len(lines) == 1 and expected in lines[0], lines


def test_unimportable_package_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proto = _tree(tmp_path / "protos", _GOOD)
    out = tmp_path / "acme" / "async" / "api"
    lines = _refused(capsys, out, "--proto", str(proto), "--package-root", str(tmp_path / "acme"))
    assert lines == [f'{out}: "async" is a Python keyword and cannot be imported: rename the folder']


@pytest.mark.parametrize("blocked", ["out", "out/a_pb2.py/"])
def test_something_in_the_way(blocked: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proto = _tree(tmp_path / "protos", _GOOD)
    if blocked.endswith("/"):
        (tmp_path / blocked).mkdir(parents=True)
    else:
        (tmp_path / blocked).write_text("a file", "utf-8")
    lines = _refused(capsys, tmp_path / "out", "--proto", str(proto))
    assert len(lines) == 1 and "must go" in lines[0], lines


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_right_to_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proto = _tree(tmp_path / "protos", _GOOD)
    (tmp_path / "out").mkdir(mode=0o500)
    lines = _refused(capsys, tmp_path / "out", "--proto", str(proto))
    assert lines == [f"{tmp_path / 'out'}: no right to write in this folder: choose another --out"]
