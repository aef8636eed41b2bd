"""Published plugins of the gateway's own framework, served without a line of code: the same verdicts as in process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gateway.clients import client_block, drive_module
from tests.support.environments import environment
from tests.support.rendering import RenderedPlugin, dependencies
from tests.support.serving import Served, environ, run, serve

PACKAGES = ["cpex-pii-filter==0.3.9", "cpex-secrets-detection==0.3.14", "cpex-output-length-guard==0.1.2"]
PII = "cpex_pii_filter.pii_filter.PIIFilterPlugin"
SECRETS = "cpex_secrets_detection.secrets_detection.SecretsDetectionPlugin"
LENGTH = "cpex_output_length_guard.output_length_guard.OutputLengthGuardPlugin"
TEXT_HOOKS = ["prompt_pre_fetch", "tool_pre_invoke", "tool_post_invoke"]
WAYS = ["unix", "grpc", "http"]
KEY = "AKIAIOSFODNN7EXAMPLE"

ENTRIES: dict[str, dict[str, Any]] = {
    "pii-masks": {"kind": PII, "hooks": [*TEXT_HOOKS, "prompt_post_fetch"], "config": {"detect_email": True}},
    "pii-blocks": {"kind": PII, "hooks": TEXT_HOOKS, "config": {"block_on_detection": True}},
    "secrets-blocks": {"kind": SECRETS, "hooks": [*TEXT_HOOKS, "resource_post_fetch"], "config": {}},
    "secrets-redacts": {"kind": SECRETS, "hooks": TEXT_HOOKS, "config": {"redact": True, "block_on_detection": False}},
    "length-cuts": {"kind": LENGTH, "hooks": ["tool_post_invoke"], "config": {"max_chars": 20}},
    "length-blocks": {"kind": LENGTH, "hooks": ["tool_post_invoke"], "config": {"max_chars": 20, "strategy": "block"}},
}

TEXTS = [
    "nothing to see",
    "write to ann@example.com or call 555-123-4567, SSN 123-45-6789",
    f"the key is {KEY} and that is all of it",
    "ünïcode text that is longer than twenty characters",
]


def _cases(hooks: list[str]) -> Iterator[dict[str, Any]]:
    for text in TEXTS:
        payloads: dict[str, dict[str, Any]] = {
            "prompt_pre_fetch": {"prompt_id": "p", "args": {"topic": text}},
            "prompt_post_fetch": {
                "prompt_id": "p",
                "result": {"messages": [{"role": "user", "content": {"type": "text", "text": text}}]},
            },
            "tool_pre_invoke": {"name": "search", "args": {"query": text, "nested": {"list": [text, 7, None]}}},
            "tool_post_invoke": {"name": "search", "result": {"content": [{"type": "text", "text": text}]}},
            "resource_post_fetch": {"uri": "file:///x", "content": {"type": "text", "uri": "file:///x", "text": text}},
        }
        for hook in hooks:
            yield {"hook": hook, "payload": payloads[hook], "state": {"seen": 1}}


@pytest.fixture(scope="module")
def hosting(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> RenderedPlugin:
    """The rendered plugin with the extra that hosts cpex's plugins, and three packages of such plugins."""
    wanted = [*dependencies(rendered.root, "grpc", "cpex"), *PACKAGES]
    return RenderedPlugin(rendered.root, rendered.package, environment("hosting", wanted))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hosting") / "config.yaml"
    entries = [{"name": name, "version": "1.0.0", "author": "a", **entry} for name, entry in ENTRIES.items()]
    path.write_text(yaml.safe_dump({"plugins": entries}))
    return path


@pytest.fixture(scope="module")
def served(hosting: RenderedPlugin, config: Path) -> Iterator[Served]:
    with serve(hosting, "http,grpc,unix", "--config", str(config)) as server:
        yield server


@pytest.fixture(scope="module")
def seen(hosting: RenderedPlugin, config: Path, served: Served, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What cpex's manager makes of each plugin's cases: with the plugin in process, and over each transport."""
    folder = tmp_path_factory.mktemp("managers")
    runs: dict[str, Any] = {}
    for name, own in ENTRIES.items():
        entry = {"name": name, "version": "1.0.0", "author": "a", "mode": "enforce", "hooks": own["hooks"]}
        blocks = {way: {"kind": "external", **client_block(way, hosting, config, served)} for way in WAYS}
        for way, block in {"inside": own, **blocks}.items():
            path = folder / f"{name}-{way}.yaml"
            path.write_text(yaml.safe_dump({"plugins": [entry | block], "plugin_dirs": [], "plugin_settings": {}}))
            runs[f"{name}-{way}"] = {"config": str(path), "cases": list(_cases(own["hooks"]))}
    return drive_module(hosting.python, f"{__package__}.manager_driver", {"runs": runs})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ENTRIES)
def test_the_verdicts_are_those_of_the_plugin_in_process(seen: Any, name: str, way: str) -> None:
    inside = seen[f"{name}-inside"]
    assert seen[f"{name}-{way}"] == inside
    verdicts = [item["result"] for item in inside]
    touched = [item for item in verdicts if item["modified_payload"] or not item["continue_processing"]]
    # Some of the texts are none of the plugin's business, and some are.
    assert 0 < len(touched) < len(verdicts)


def test_a_class_of_a_package_that_is_missing_names_the_extra(rendered: RenderedPlugin, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    entry = {"name": "Pii", "kind": "cpex.framework.Plugin", "hooks": ["tool_pre_invoke"]}
    path.write_text(yaml.safe_dump({"plugins": [entry]}))
    done = run(rendered, "serve", "--config", str(path))
    assert done.returncode == 2
    assert "plugin 'Pii': cannot import cpex.framework: ModuleNotFoundError" in done.stderr
    assert "install the extra 'cpex'" in done.stderr


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"config": {"max_chars": "many"}}, "plugin 'length-cuts'"),
        ({"hooks": ["tool_pre_invoke"]}, "plugin 'length-cuts': cpex refuses hook tool_pre_invoke"),
    ],
)
def test_an_entry_that_the_class_refuses_stops_the_start(
    hosting: RenderedPlugin, tmp_path: Path, change: dict[str, Any], text: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({"plugins": [{"name": "length-cuts", **ENTRIES["length-cuts"], **change}]}))
    done = run(hosting, "serve", "--config", str(path))
    assert done.returncode == 2
    assert text in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


OWN_RULES = """
from cpex.framework import Plugin, PluginViolation, ToolPreInvokeResult


class Lenient(Plugin):
    async def tool_pre_invoke(self, payload, context):
        violation = PluginViolation(reason="r", description="d", code="C")
        return ToolPreInvokeResult(continue_processing=True, violation=violation)
"""

CALL_IT = """
import asyncio, json, pathlib, sys
from {package}.runtime.testing import hosted


async def main():
    async with hosted(pathlib.Path(sys.argv[1])) as plugin:
        print(json.dumps((await plugin.call("tool_pre_invoke", {{"name": "x", "args": {{}}}})).reply["result"]))


asyncio.run(main())
"""


def test_a_result_follows_the_rules_of_cpex(hosting: RenderedPlugin, tmp_path: Path) -> None:
    (tmp_path / "lenient.py").write_text(OWN_RULES)
    entry = {"name": "Lenient", "kind": "lenient.Lenient", "hooks": ["tool_pre_invoke"], "version": "1", "author": "a"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"plugins": [entry], "plugin_dirs": [str(tmp_path)]}))
    done = subprocess.run(
        [hosting.python, "-c", CALL_IT.format(package=hosting.package), str(tmp_path / "config.yaml")],
        env=environ(hosting), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["continue_processing"], result["violation"]["code"]) == (True, "C")
