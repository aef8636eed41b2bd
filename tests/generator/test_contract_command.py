"""`plugsmith contract`: drift is found, shown and mended."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from generator import __version__
from generator.contract_files import CONTRACT
from generator.runtime_files import MANIFEST, RUNTIME, SBOM

from .tools import ROOT, edit, plugsmith

DIGESTS = "MANIFEST.sha256"
MODELS = {DIGESTS, "hooks.py", "hooks.md"}
GRPC_STUBS = {DIGESTS, "plugin_service_pb2_grpc.py", "plugin_service_pb2_grpc.pyi"}


def test_this_checkout_holds_what_its_contract_says() -> None:
    done = plugsmith("contract", "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("file", "old", "new", "drifted"),
    [
        ("hooks.proto", "// The tool's name.", "// What the tool is called.", MODELS),
        ("hooks.proto", "  string name = 1;", "  optional string name = 1;", MODELS),
        ("hooks.proto", "// Before the gateway calls a tool:", "// Before:", {*MODELS, "copier.yml"}),
        ("hooks.proto", "int32 retry_delay_ms = 6", "int32 retry_delay_ms = 7", set()),
        ("plugin_service.proto", "string name = 1;", "string name = 2;", {DIGESTS, "plugin_service_pb2.py"}),
        ("plugin_service.proto", "// Runs one hook", "// Runs a hook", GRPC_STUBS),
    ],
)  # fmt: skip
def test_a_changed_contract_is_drift(checkout: Path, file: str, old: str, new: str, drifted: set[str]) -> None:
    edit(checkout / "proto" / file, old, new)
    found = plugsmith("contract", "--check", "--root", str(checkout))
    shown = {line.split()[1].rpartition("/")[2] for line in found.stdout.splitlines() if line.startswith("+++ ")}
    assert shown == drifted
    assert found.returncode == (1 if drifted else 0), found.stderr
    if drifted:
        assert found.stderr == f"{len(drifted)} files differ from what is generated; run nox -s stubs\n"

    written = plugsmith("contract", "--root", str(checkout))
    assert (written.returncode, len(written.stdout.splitlines())) == (0, len(drifted))
    assert plugsmith("contract", "--check", "--root", str(checkout)).returncode == 0


def test_an_edited_and_a_left_over_file_are_drift(checkout: Path) -> None:
    edit(checkout / CONTRACT / "hooks.py", '"""The tool\'s name."""', '"""Edited."""')
    (checkout / CONTRACT / "old_pb2.py").write_text("# from a proto that is gone\n", encoding="utf-8")
    found = plugsmith("contract", "--check", "--root", str(checkout))
    assert found.returncode == 1
    assert '-    """Edited."""\n' in found.stdout
    assert "-# from a proto that is gone\n" in found.stdout
    assert plugsmith("contract", "--root", str(checkout)).stdout.splitlines() == [
        f"wrote {(CONTRACT / 'hooks.py').as_posix()}",
        f"removed {(CONTRACT / 'old_pb2.py').as_posix()}",
    ]


def test_generating_twice_changes_nothing(checkout: Path) -> None:
    done = plugsmith("contract", "--root", str(checkout))
    assert (done.returncode, done.stdout) == (0, "")


def test_copier_yml_without_a_place_for_the_choices(checkout: Path) -> None:
    edit(checkout / "copier.yml", "nox -s stubs: begin", "hand")
    done = plugsmith("contract", "--root", str(checkout))
    assert done.returncode == 2
    assert done.stderr.startswith("plugsmith: copier.yml: no place for the hook choices; ")
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_no_checkout(tmp_path: Path) -> None:
    done = plugsmith("contract", "--root", str(tmp_path))
    assert (done.returncode, done.stderr) == (
        2,
        f"plugsmith: {tmp_path}: this is no checkout of plugsmith; name one with --root\n",
    )


def test_only_the_choices_of_copier_yml_are_written(checkout: Path) -> None:
    edit(checkout / "proto" / "hooks.proto", "// Before the gateway calls a tool: check, change or", '// "Quoted": #')
    plugsmith("contract", "--root", str(checkout))
    said = "Before the gateway calls a tool: check, change or "
    before, after = ((root / "copier.yml").read_text("utf-8").splitlines() for root in (ROOT, checkout))
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        (
            f'    "tool_pre_invoke: {said}block its arguments.": tool_pre_invoke',
            '    "tool_pre_invoke: \\"Quoted\\": # block its arguments.": tool_pre_invoke',
        )
    ]


def test_an_edited_runtime_has_other_digests(checkout: Path) -> None:
    with (checkout / RUNTIME / "host" / "host.py").open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    (checkout / RUNTIME / "host" / "new.py").touch()
    assert plugsmith("contract", "--check", "--root", str(checkout)).returncode == 1
    assert plugsmith("contract", "--root", str(checkout)).stdout == f"wrote {MANIFEST.as_posix()}\n"
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "--strict", MANIFEST.name],
        cwd=checkout / RUNTIME, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert "  host/new.py\n" in (checkout / MANIFEST).read_text("utf-8")


def test_the_bill_of_materials_follows_the_version(checkout: Path) -> None:
    edit(checkout / SBOM, __version__, "0.0.1")
    assert plugsmith("contract", "--root", str(checkout)).stdout.splitlines()[-1] == f"wrote {SBOM.as_posix()}"
