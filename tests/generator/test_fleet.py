"""`plugsmith fleet`: what it says of repositories that were rendered, patched and updated."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from plugsmith_runtime.tools.check.managed_files import MANIFEST, file_digests, render_manifest

from generator import __version__
from generator.fleet import parse_version
from tests.support.locking import made_once
from tests.support.rendering import copy_template
from tests.template.updating import Checkout, released_template, rendered_from, update

from .tools import plugsmith

NEXT = "9.0.0"
RUNTIME = ["__init__.py", "_version.py", "host/host.py"]
PATCHED = "src/patched/runtime/host/host.py"


def seal(template: Path) -> None:
    """Write the digests of the template's runtime, as `nox -s stubs` does."""
    runtime = template / "runtime/plugsmith_runtime"
    (runtime / MANIFEST).write_text(render_manifest(file_digests(runtime)))


@pytest.fixture(scope="module")
def folder(shared_folder: Path) -> Path:
    """A template with two releases; below plugins/ repositories of both, one with a patch, and a folder of notes."""
    return made_once(shared_folder / "fleet", make_fleet)


def make_fleet(folder: Path) -> None:
    source = copy_template(folder / "source")
    # Few files of the runtime will do: Copier renders the template a dozen times here.
    runtime = source / "runtime/plugsmith_runtime"
    for path in [path for path in runtime.rglob("*") if path.is_file()]:
        if path.relative_to(runtime).as_posix() not in RUNTIME:
            path.unlink()
    seal(source)
    template = released_template(source, folder / "template")
    plugins = folder / "plugins"
    new = rendered_from(template, plugins / "new", "--data", "plugin_name=New")
    rendered_from(template, plugins / "old", "--data", "plugin_name=Old", "--data", "kind=audit")
    patched = rendered_from(template, plugins / "patched", "--data", "plugin_name=Patched")
    patched.append(PATCHED, "\n# mine\n")
    (plugins / "notes").mkdir()
    template.replace("runtime/plugsmith_runtime/_version.py", __version__, NEXT)
    seal(template.root)
    template.commit(f"v{NEXT}")
    template.append("copier.yml", "# More to come.\n")
    template.commit("v10.0.0rc1")
    update(new)


def fleet(folder: Path, *arguments: str, expect: int = 0) -> dict[str, Any]:
    done = plugsmith("fleet", "--json", *arguments, cwd=folder)
    assert done.returncode == expect, done.stderr
    return {found["name"]: found for found in json.loads(done.stdout)}


def test_each_repository_says_what_it_runs_and_what_waits(folder: Path) -> None:
    found = fleet(folder, "plugins/*")
    source = str(folder / "template")
    assert list(found) == ["New", "Old", "Patched"]
    assert found["New"] == {
        "folder": "plugins/new",
        "name": "New",
        "kind": "hooks",
        "template": {"source": source, "version": f"v{NEXT}", "update": ""},
        "runtime": {"version": NEXT, "mode": "vendored"},
        "changed": [],
    }
    assert found["Old"]["kind"] == "audit"
    assert found["Old"]["template"] == {"source": source, "version": "v1.0.0", "update": f"v{NEXT}"}
    assert found["Old"]["runtime"] == {"version": __version__, "mode": "vendored"}
    assert (found["Old"]["changed"], found["Patched"]["changed"]) == ([], [PATCHED])


def test_it_is_a_table_for_people(folder: Path) -> None:
    done = plugsmith("fleet", "plugins/patched", "plugins/new", "plugins/*", cwd=folder)
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["name", "kind", "template", "runtime", "mode", "changed", "update", "folder"],
        ["Patched", "hooks", "v1.0.0", __version__, "vendored", "1", f"v{NEXT}", "plugins/patched"],
        ["New", "hooks", f"v{NEXT}", NEXT, "vendored", "0", "none", "plugins/new"],
        ["Old", "audit", "v1.0.0", __version__, "vendored", "0", f"v{NEXT}", "plugins/old"],
    ]


def test_who_is_behind_fails_it(folder: Path) -> None:
    fleet(folder, "plugins/*", "--at-least", __version__)
    fleet(folder, "plugins/new", "--at-least", NEXT)
    done = plugsmith("fleet", "--at-least", NEXT, "plugins/*", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"plugins/{name}: runtime {__version__}, not {NEXT} or later; make update brings a newer one"
        for name in ("old", "patched")
    ]


def test_a_template_that_does_not_answer_leaves_the_update_unknown(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(folder / "plugins/old", moved)
    answers = moved / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace(str(folder / "template"), str(tmp_path / "nowhere")))
    assert fleet(tmp_path, "moved")["Old"]["template"]["update"] is None
    assert fleet(folder, "--offline", "plugins/old")["Old"]["template"]["update"] is None
    line = plugsmith("fleet", "moved", cwd=tmp_path).stdout.splitlines()[1].split()
    assert line == ["Old", "audit", "v1.0.0", __version__, "vendored", "0", "unknown", "moved"]


def test_a_repository_that_depends_on_the_runtime_says_the_least_version_that_it_takes(
    folder: Path, tmp_path: Path
) -> None:
    data = ["--data", "plugin_name=Packaged", "--data", "runtime=package"]
    packaged = rendered_from(Checkout(folder / "template"), tmp_path / "packaged", *data)
    found = fleet(tmp_path, "packaged", "--at-least", NEXT)["Packaged"]
    assert (found["runtime"], found["changed"]) == ({"version": NEXT, "mode": "package"}, [])
    packaged.append("src/packaged/runtime/__init__.py", "\n# mine\n")
    assert fleet(tmp_path, "packaged")["Packaged"]["changed"] == ["src/packaged/runtime/__init__.py"]
    packaged.replace("pyproject.toml", f">={NEXT},<10", "")
    found = fleet(tmp_path, "packaged", "--at-least", "0.0.1", expect=1)["Packaged"]
    assert found["runtime"] == {"version": None, "mode": "package"}


def test_a_repository_of_another_time_is_behind_every_version(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "plugins/old", tmp_path / "old")
    for path in ("_version.py", MANIFEST):
        (tmp_path / "old/src/old/runtime" / path).unlink()
    done = plugsmith("fleet", "--offline", "--at-least", "0.0.1", "old", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "old: runtime unknown, not 0.0.1 or later; make update brings a newer one\n"
    assert done.stdout.splitlines()[1].split()[3:6] == ["unknown", "unknown", "unknown"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["plugins/notes"], "plugins/notes: no rendered repository (.copier-answers.yml is missing); name a folder"),
        (["plugins/n*s"], "plugins/n*s: no rendered repository there; name folders that hold .copier-answers.yml"),
        (["nowhere"], "nowhere: no rendered repository there; name folders that hold .copier-answers.yml"),
        (["--at-least", "new", "plugins/*"], "--at-least 'new': no version number; write it as 0.1.0"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(folder: Path, arguments: list[str], line: str) -> None:
    done = plugsmith("fleet", *arguments, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"plugsmith: {line}")


def test_answers_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / ".copier-answers.yml").write_text("{")
    done = plugsmith("fleet", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("plugsmith: .copier-answers.yml: cannot be read (")


@pytest.mark.parametrize(
    ("text", "version"),
    [("v1.2.0", "1.2.0"), ("v1.2.0-3-g1a2b3c4", "1.2.0.post3"), ("1.2", "1.2"), ("1a2b3c4", None), ("main", None)],
)
def test_what_git_describe_says_is_a_version(text: str, version: str | None) -> None:
    found = parse_version(text)
    assert (str(found) if found else None) == version
