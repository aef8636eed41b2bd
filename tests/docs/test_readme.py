"""README says what is: its plugin is the rendered one, its block is what the command prints."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import readme
from tests.support.rendering import ROOT, RenderedPlugin, rendered_plugin
from tests.support.serving import run

README = (ROOT / "README.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found, language
    return found.group(1)


@pytest.fixture(scope="module")
def defaults(shared_folder: Path) -> RenderedPlugin:
    return rendered_plugin(shared_folder / "my-plugin", "grpc")


def test_the_plugin_is_the_rendered_one(defaults: RenderedPlugin) -> None:
    assert block("python") == (defaults.root / "src" / defaults.package / "plugin.py").read_text()


def test_the_block_is_what_gateway_config_prints(defaults: RenderedPlugin) -> None:
    done = run(defaults, "gateway-config")
    assert done.returncode == 0
    assert block("yaml") == done.stdout
    assert "PLUGINS_SSRF_PROTECTION_ENABLED=false" in done.stderr


def test_the_figures_are_those_of_the_last_run() -> None:
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text())
    assert readme.section(results) in README


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_no_line_names_a_machine_path() -> None:
    assert not re.search(r"/(root|home)/", README)
    assert Path(ROOT / "LICENSE").exists()
