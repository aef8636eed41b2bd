"""The documentation tells of the tree as it is: layers, packages, files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.rendering import ROOT

RUNTIME = ROOT / "runtime" / "plugsmith_runtime"
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
# Where a path in the text may begin.
BASES = (ROOT, RUNTIME, ROOT / "proto", RUNTIME / "plugin_server")


def layers() -> list[set[str]]:
    """The layers that the linter holds, from the top."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (contract for contract in contracts if contract["type"] == "layers")
    return [set(re.findall(r"\w+", layer)) for layer in contract["layers"]]


def test_the_layers_are_those_of_the_linter() -> None:
    block = re.search(r"^    doors .*?\n\n", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    assert block
    drawn = [set(re.findall(r"(\w+)(?:/|\.py)", line)) for line in block[0].strip().splitlines()]
    assert drawn == layers()


def test_every_package_has_its_line() -> None:
    described = re.search(r"^\| Package \| Knows \|\n(.*?)\n\n", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    assert described
    heads = "".join(row.split("|")[1] for row in described[1].splitlines())
    names = {name for layer in layers() for name in layer} - {"contract", "_version"}
    assert set(re.findall(r"`(\w+)(?:/|\.py)`", heads)) == names


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_file_that_is_named_exists(document: str) -> None:
    named = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|proto|toml))`", (ROOT / document).read_text()))
    assert len(named) > 10
    # What is only in a rendered repository.
    rendered = {"plugin.py", "wheelhouse/"}
    missing = [path for path in named - rendered if not any((base / path).exists() for base in BASES)]
    assert not missing


DOCUMENTS = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_folder_of_the_project_that_is_named_exists(document: Path) -> None:
    parts = "tests|generator|benchmarks|proto|template/_parts|runtime/plugsmith_runtime"
    named = set(re.findall(rf"(?<![\w/.-])(?:{parts})/[\w*./-]*[\w*/]", document.read_text()))
    # What a tutorial says of a rendered repository is in the template.
    missing = [path for path in named if not (list(ROOT.glob(path)) or list((ROOT / "template").glob(f"{path}*")))]
    assert not missing
