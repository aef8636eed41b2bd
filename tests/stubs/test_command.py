"""`plugsmith stubs`: what it writes, compares and refuses."""

import re
from pathlib import Path

import pytest

from generator.cli import main
from tests.stubs.harness import CASES

_PROTO = str(CASES / "cousins" / "protos")


def _everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_writes_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["stubs", "--proto", _PROTO, "--out", str(tmp_path / "api")]
    assert main([*command, "--check"]) == 1
    assert "+++ " in capsys.readouterr().out and not (tmp_path / "api").exists()
    assert main(command) == 0
    assert capsys.readouterr().out.endswith("they need protobuf>=7.35.0\n")
    assert sorted(path.name for path in (tmp_path / "api").iterdir()) == ["__init__.py", "_pool.py", "left", "right"]
    assert main([*command, "--check"]) == 0
    assert capsys.readouterr().out == ""


def test_check_shows_differences_and_leftovers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["stubs", "--proto", _PROTO, "--out", str(tmp_path)]
    assert main(command) == 0
    changed = tmp_path / "right" / "b_pb2.py"
    changed.write_text(changed.read_text("utf-8").replace("# pylint: skip-file\n", "# mine\n"), "utf-8")
    gone = changed.read_text("utf-8").replace("# Source: right/b.proto", "# Source: right/gone.proto")
    (tmp_path / "right" / "gone_pb2.py").write_text(gone, "utf-8")
    before = _everything(tmp_path)
    capsys.readouterr()
    assert main([*command, "--check"]) == 1
    shown = capsys.readouterr().out
    assert "-# mine\n+# pylint: skip-file\n" in shown and "right/gone_pb2.py (no longer generated" in shown
    assert _everything(tmp_path) == before
    assert main(command) == 0 and "right/gone_pb2.py: it is no longer generated" in capsys.readouterr().out
    assert not (tmp_path / "right" / "gone_pb2.py").exists()


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def _modules(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*_pb2.py"))


def test_modules_of_a_deleted_proto_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proto = _write(tmp_path / "p", {"a.proto": 'syntax = "proto3";', "sub/deep/b.proto": 'syntax = "proto3";'})
    command = ["stubs", "--proto", str(proto), "--out", str(out := tmp_path / "api")]
    assert main(command) == 0
    # Another run's modules, below the same folder, are not this one's to remove.
    assert main(["stubs", "--proto", str(proto / "sub"), "--out", str(out / "other")]) == 0
    (out / "sub" / "mine.txt").write_text("kept", "utf-8")
    (proto / "sub" / "deep" / "b.proto").unlink()
    assert main([*command, "--check"]) == 1
    assert "sub/deep/b_pb2.py (no longer generated" in capsys.readouterr().out
    assert main(command) == 0
    assert _modules(out) == ["a_pb2.py", "other/deep/b_pb2.py"]
    assert not (out / "sub" / "deep").exists() and (out / "sub" / "mine.txt").exists()
    assert main([*command, "--check"]) == 0


def test_several_roots(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    roots = [
        _write(tmp_path / "one", {"a.proto": 'syntax = "proto3"; import "b/b.proto"; message A { b.B b = 1; }'}),
        _write(tmp_path / "one" / "third_party", {"b/b.proto": 'syntax = "proto3"; package b; message B {}'}),
        _write(tmp_path / "two", {"c.proto": 'syntax = "proto3";', "a.proto": "not read: the first root has it"}),
    ]
    command = ["stubs", "--out", str(tmp_path / "api"), *(part for root in roots for part in ("--proto", str(root)))]
    assert main(command) == 0
    assert _modules(tmp_path / "api") == ["a_pb2.py", "b/b_pb2.py", "c_pb2.py"]


def test_symbolic_links_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(
        tmp_path,
        {
            "p/a.proto": 'syntax = "proto3"; import "sub/b.proto"; message A { t.B b = 1; }',
            "vendor/sub/b.proto": 'syntax = "proto3"; package t; message B {}',
            "vendor/l.proto": 'syntax = "proto3"; message L {}',
        },
    )
    proto = tmp_path / "p"
    (proto / "sub").symlink_to("../vendor/sub")
    (proto / "l.proto").symlink_to("../vendor/l.proto")
    # A link to a folder above has no end.
    (proto / "up").symlink_to("..", target_is_directory=True)
    (tmp_path / "linked").symlink_to("p", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    assert main(["stubs", "--proto", "linked", "--out", "all", "linked/l.proto", "p/sub/b.proto", "a.proto"]) == 0
    assert _modules(tmp_path / "all") == ["a_pb2.py", "l_pb2.py", "sub/b_pb2.py"]
    (proto / "up").unlink()
    (proto / "up").symlink_to(".", target_is_directory=True)
    assert main(["stubs", "--proto", "p", "--out", "again"]) == 0
    assert _modules(tmp_path / "again") == ["a_pb2.py", "l_pb2.py", "sub/b_pb2.py"]


def test_a_colon_in_the_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proto = _write(tmp_path / "a:b", {"a.proto": 'syntax = "proto3"; message A {}'})
    assert main(["stubs", "--proto", str(proto), "--out", str(tmp_path / "o:t")]) == 0
    assert _modules(tmp_path / "o:t") == ["a_pb2.py"]
    _write(proto, {"b.proto": 'syntax = "proto3"; message B { Gone g = 1; }'})
    capsys.readouterr()
    assert main(["stubs", "--proto", str(proto), "--out", str(tmp_path / "o:t")]) == 2
    assert capsys.readouterr().err.startswith(f"plugsmith: {proto}/b.proto:1:")


def test_lines_that_are_no_utf_8_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.proto").write_bytes(b'syntax = "proto3";\n\n// caf\xe9\nmessage T {}\n')
    assert main(["stubs", "--proto", str(tmp_path / "p"), "--out", str(tmp_path / "api")]) == 0
    assert capsys.readouterr().err.startswith("plugsmith: a.proto:3: warning: this line is not UTF-8")
    assert "caf\ufffd" in (tmp_path / "api" / "a_pb2.pyi").read_text("utf-8")


def test_the_summary_says_how_much_and_how_long(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stubs", "--proto", _PROTO, "--out", str(tmp_path)]) == 0
    summary = r"\d+ \.proto files, \d+ Python files, \d+\.\d s: \d+ files changed in .*; they need protobuf>=\S+\n"
    assert re.fullmatch(summary, capsys.readouterr().out)


def test_own_init_files_stay(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text('"""Mine."""\n', "utf-8")
    assert main(["stubs", "--proto", _PROTO, "--out", str(tmp_path)]) == 0
    assert (tmp_path / "__init__.py").read_text("utf-8") == '"""Mine."""\n'


def test_package_root(tmp_path: Path) -> None:
    out = tmp_path / "acme" / "a" / "b"
    assert main(["stubs", "--proto", _PROTO, "--out", str(out), "--package-root", str(tmp_path / "acme")]) == 0
    assert (tmp_path / "acme" / "__init__.py").exists() and (tmp_path / "acme" / "a" / "__init__.py").exists()
    assert not (tmp_path / "__init__.py").exists()


def test_files_bring_what_they_import(tmp_path: Path) -> None:
    assert main(["stubs", "--proto", _PROTO, "--out", str(tmp_path), "right/inner/c.proto"]) == 0
    modules = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*_pb2.py"))
    assert modules == ["right/b_pb2.py", "right/inner/c_pb2.py"]


def test_grpc_switches(tmp_path: Path) -> None:
    command = ["stubs", "--proto", str(CASES / "streaming" / "protos"), "--out"]
    assert main([*command, str(tmp_path / "none"), "--no-grpc"]) == 0
    assert not list((tmp_path / "none").rglob("*_grpc.py*"))
    assert main([*command, str(tmp_path / "async"), "--async-only", "--shared-pool"]) == 0
    typed = (tmp_path / "async" / "rpc" / "echo_pb2_grpc.pyi").read_text("utf-8")
    assert "_grpc.Channel" not in typed and "_aio.Channel" in typed
    assert not (tmp_path / "async" / "_pool.py").exists()


def test_descriptor_set(tmp_path: Path) -> None:
    from grpc_tools import protoc  # type: ignore[import-untyped]

    image = tmp_path / "set.bin"
    options = ["--include_imports", "--include_source_info", f"--descriptor_set_out={image}", f"-I{_PROTO}"]
    assert protoc.main(["protoc", *options, "left/a.proto"]) == 0
    assert main(["stubs", "--descriptor-set", str(image), "--out", str(tmp_path / "set")]) == 0
    assert main(["stubs", "--proto", _PROTO, "--out", str(tmp_path / "tree")]) == 0
    assert _everything(tmp_path / "set") == _everything(tmp_path / "tree")


@pytest.mark.parametrize("spelling", ["pro to", "./pro to/", "../{here}/pro to", "{root}/pro to"])
def test_any_spelling_of_the_folder(
    spelling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pro to" / "ä").mkdir(parents=True)
    (tmp_path / "pro to" / "a.proto").write_text('syntax = "proto3";\nimport "ä/b.proto";\n', "utf-8")
    (tmp_path / "pro to" / "ä" / "b.proto").write_text('syntax = "proto3";\nmessage B {}\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    proto = spelling.format(here=tmp_path.name, root=tmp_path)
    assert main(["stubs", "--proto", proto, "--out", "out put"]) == 0
    assert (tmp_path / "out put" / "ä" / "b_pb2.py").exists()
    warning = capsys.readouterr().err
    assert warning.startswith("plugsmith: ") and warning.endswith("a.proto:2:1: warning: Import ä/b.proto is unused.\n")
