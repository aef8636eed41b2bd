"""The rendered README names only what there is, and its commands do what it says."""

from __future__ import annotations

import re
import shlex

from .conftest import Render
from .test_make import make


def test_its_targets_and_paths_exist(render: Render) -> None:
    root = render(plugin_name="PII Guard")
    text = (root / "README.md").read_text()
    targets = {line.split()[0] for line in make(root, "help").splitlines()}
    assert set(re.findall(r"\bmake ([a-z][a-z-]+)", text)) - {"is"} <= targets
    layout = text.partition("## Layout")[2]
    for line in [line for line in layout.splitlines() if line.startswith("| `")]:
        for path in re.findall(r"`([^`]+)`", line.split("|")[1]):
            assert (root / path).exists(), path


def test_its_variables_are_those_of_the_server(render: Render) -> None:
    root = render()
    of_the_gateway = {
        "PLUGINS_CONFIG_FILE",
        "PLUGINS_ENABLED",
        "PLUGINS_FAIL_ON_PLUGIN_ERROR",
        "PLUGINS_SSRF_PROTECTION_ENABLED",
    }
    found = set(re.findall(r"PLUGINS_[A-Z_]+", (root / "README.md").read_text())) - of_the_gateway
    assert found <= set(re.findall(r"PLUGINS_[A-Z_]+", (root / ".env.template").read_text()))


def test_its_call_masks_the_word(render: Render) -> None:
    root = render()
    block = (root / "README.md").read_text().partition("```sh\nmake call ")[2].partition("\n```")[0]
    assert '"call *** now"' in make(root, "call", *shlex.split(block), "TRANSPORT=stdio")
