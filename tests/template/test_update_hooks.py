"""Hooks that a new release of the contract words otherwise, renames, drops or adds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from .test_checks import check
from .updating import Checkout, released_template, rendered_from, run, update

CHOSEN = ["tool_pre_invoke", "http_post_request"]
ADDED_RPC = """  // Before the gateway lists its tools: check or block the listing.
  rpc ToolPreList(ToolPreListPayload) returns (ToolPreListResult) {
    option (hook) = {name: "tool_pre_list" group: "tool" since: "9.9.0" writable: ["server"]};
  }
"""
ADDED_MESSAGES = """
// What tool_pre_list receives.
message ToolPreListPayload {
  // The server whose tools are listed.
  string server = 1;
}

// What tool_pre_list answers.
message ToolPreListResult {
  // The parts that every hook's result has.
  PluginResult base = 1;
  // The payload to go on with.
  optional ToolPreListPayload modified_payload = 2;
}
"""
IMPORTS = "    ToolPreInvokePayload,\n    ToolPreListPayload,\n    ToolPreListResult,\n"
DEMO = """
- title: listing
  hook: tool_pre_list
  payload: {"server": "yours"}
  expect: modified
  becomes: {"server": "mine"}
"""
FIRST_RPC = "  // Before the gateway calls a tool: check, change or block its arguments.\n"
METHOD = """
    async def tool_pre_list(self, payload: ToolPreListPayload, context: PluginContext) -> ToolPreListResult:
        return ToolPreListResult(modified_payload=ToolPreListPayload(server="mine"))
"""


@pytest.fixture
def origin(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Checkout:
    """A template whose runtime is what the contract generates; parametrized with "whole", all of it."""
    runtime = template / "runtime" / "plugsmith_runtime"
    contract = [str(path.relative_to(runtime)) for path in runtime.glob("contract/*") if path.is_file()]
    whole = getattr(request, "param", "") == "whole"
    return released_template(
        template, tmp_path / "template", *([] if whole else ["__init__.py", "_version.py", *contract])
    )


@pytest.fixture
def plugin(origin: Checkout, tmp_path: Path) -> Checkout:
    plugin = rendered_from(origin, tmp_path / "plugin", "--data", f"hooks={CHOSEN}")
    plugin.replace("src/my_plugin/plugin.py", '"""The plugin:', '"""Mine:')
    plugin.commit()
    return plugin


def regenerate(origin: Checkout) -> None:
    """Write what is made from proto/, as `nox -s stubs` does."""
    (origin.root / "docs").mkdir(exist_ok=True)
    run(sys.executable, "-m", "generator", "contract", cwd=origin.root)


def rename(origin: Checkout, old: str, new: str) -> None:
    """Give a hook another name wherever the template and the contract name it."""
    for path in [origin.root / "copier.yml", *origin.root.glob("proto/*"), *origin.root.rglob("template/**/*.jinja")]:
        if path.is_file() and old in path.read_text():
            path.write_text(path.read_text().replace(old, new))


def chosen(plugin: Checkout) -> list[str]:
    answers = yaml.safe_load(plugin.read(".copier-answers.yml"))
    assert answers["chosen_hooks"] == answers["hooks"]
    return list(answers["hooks"])


def test_a_renamed_hook_stays_chosen_by_its_new_name(origin: Checkout, plugin: Checkout) -> None:
    rename(origin, "http_post_request", "http_late_request")
    renamed = "set renamed = {'http_post_request': 'http_late_request'}"
    origin.replace("template/_parts/hooks.jinja", "set renamed = {}", renamed)
    regenerate(origin)
    origin.commit("v2.0.0")
    update(plugin)
    assert chosen(plugin) == ["tool_pre_invoke", "http_late_request"]
    assert "`tool_pre_invoke`, `http_late_request`." in plugin.read("README.md")
    assert "http_late_request" in plugin.read("src/my_plugin/runtime/contract/hooks.py")
    assert "http_post_request" in plugin.read("src/my_plugin/plugin.py")
    assert plugin.unclean() == []


@pytest.mark.full
def test_a_dropped_hook_leaves_the_others_chosen(origin: Checkout, plugin: Checkout) -> None:
    rename(origin, "http_post_request", "http_late_request")
    origin.commit("v2.0.0")
    update(plugin)
    assert chosen(plugin) == ["tool_pre_invoke"]


@pytest.mark.parametrize("origin", ["whole"], indirect=True)
def test_an_added_hook_and_a_new_wording_leave_the_choice_and_can_be_used(origin: Checkout, plugin: Checkout) -> None:
    origin.replace("proto/hooks.proto", FIRST_RPC, ADDED_RPC + FIRST_RPC.replace("Before", "Right before"))
    origin.append("proto/hooks.proto", ADDED_MESSAGES)
    regenerate(origin)
    origin.commit("v2.0.0")
    update(plugin)
    assert chosen(plugin) == CHOSEN
    assert plugin.unclean() == []
    plugin.append("src/my_plugin/plugin.py", METHOD)
    plugin.replace("src/my_plugin/plugin.py", "    ToolPreInvokePayload,\n", IMPORTS)
    plugin.replace("resources/plugins/config.yaml", "    hooks:\n", "    hooks:\n      - tool_pre_list\n")
    (plugin.root / "resources/demo.yaml").write_text(DEMO)
    check(plugin.root, ["mypy"], ["my_plugin", "demo", "--transport", "unix"])
