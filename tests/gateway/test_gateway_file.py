"""The file that `gateway-config` prints, read by the plugin managers of gateway 1.0.0 and of cpex as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.rendering import ALL_HOOKS, RenderedPlugin
from tests.support.serving import Served, run, serve

from .clients import drive
from .hook_cases import PAYLOADS
from .releases import FRAMEWORK_OF_1_0_0, FRAMEWORK_RELEASES, FrameworkRelease

PLAIN_TOOL = {
    "name": "search",
    "url": "https://example.com/search",
    "created": "2026-01-02T00:00:00Z",
    "tags": ["a"],
    "schema_": {"type": "object"},
}


def printed(plugin: RenderedPlugin, *options: str) -> str:
    done = run(plugin, "gateway-config", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def place(served: Served, scheme: str) -> list[str]:
    """The options that tell `gateway-config` where a server is."""
    address = served.endpoints[scheme].partition("://")[2]
    if scheme == "unix":
        return ["--transport", "unix", "--socket", address]
    return ["--transport", "grpc", "--grpc-uds" if scheme == "grpc+unix" else "--grpc-port", address.rpartition(":")[2]]


@pytest.mark.parametrize("scheme", ["grpc", "grpc+unix", "unix"])
@pytest.mark.parametrize("release", [FRAMEWORK_OF_1_0_0, FRAMEWORK_RELEASES[-1]], ids=lambda release: release.name)
def test_objects_in_the_context_reach_no_client(
    rendered: RenderedPlugin, release: FrameworkRelease, scheme: str, tmp_path: Path
) -> None:
    file = tmp_path / "plugins.yaml"
    with serve(rendered, scheme.partition("+")[0]) as served:
        file.write_text(printed(rendered, *place(served, scheme)))
        hooks = {hook: PAYLOADS[hook][0] for hook in ALL_HOOKS}
        job = {"framework": release.framework, "file": str(file), "hooks": hooks}
        seen = drive(release.python, "manager_driver", job, rendered.root / "resources" / "gateway")
    assert seen.keys() == set(ALL_HOOKS)
    for found in seen.values():
        assert found["metadata"] == {"tool": PLAIN_TOOL, "others": [PLAIN_TOOL], "n": 1}
    assert seen["prompt_pre_fetch"]["result"]["modified_payload"]["args"] == {"word": "***"}


def test_only_the_transports_that_need_it_get_the_gateway_plugin(rendered: RenderedPlugin) -> None:
    for transport, names in {
        "http": ["WordGuard"],
        "stdio": ["WordGuard"],
        "grpc": ["WordGuard", "PlainContext"],
        "unix": ["WordGuard", "PlainContext"],
    }.items():
        file = yaml.safe_load(printed(rendered, "--transport", transport))
        assert [entry["name"] for entry in file["plugins"]] == names
        assert ("plugin_dirs" in file) is ("PlainContext" in names)
        assert file["plugin_settings"] == {"fail_on_plugin_error": True}


def test_the_gateway_plugin_runs_just_before_the_first_of_ours(rendered: RenderedPlugin, tmp_path: Path) -> None:
    content = entries(rendered, tmp_path, {"priority": 30, "hooks": ["tool_pre_invoke"]}, {"priority": 7})
    *_, shim = content["plugins"]
    assert shim["priority"] == 6
    assert shim["hooks"] == ["tool_pre_invoke", "tool_post_invoke"]


def test_plugins_that_no_call_depends_on_do_not_keep_a_gateway_from_starting(
    rendered: RenderedPlugin, tmp_path: Path
) -> None:
    assert entries(rendered, tmp_path, {"mode": "permissive"})["plugin_settings"] == {}


def entries(rendered: RenderedPlugin, folder: Path, *changes: dict[str, Any]) -> dict[str, Any]:
    """What is printed for a configuration with a plugin for each change."""
    usual = {"kind": "a.B", "hooks": ["tool_post_invoke"]}
    plugins = [usual | {"name": f"P{number}"} | change for number, change in enumerate(changes)]
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump({"plugins": plugins}))
    options = ["--config", str(config), "--transport", "unix", "--shim-dir", "/opt/shim"]
    found: dict[str, Any] = yaml.safe_load(printed(rendered, *options))
    assert found["plugin_dirs"] == ["/opt/shim"]
    return found


def test_several_transports_are_several_files(rendered: RenderedPlugin) -> None:
    text = printed(rendered, "--transport", "http,unix")
    first, second = yaml.safe_load_all(text)
    assert "mcp" in first["plugins"][0]
    assert "unix_socket" in second["plugins"][0]
    assert "# over http\n" in text and "# over unix\n" in text


def test_a_repository_without_the_gateway_plugin(rendered: RenderedPlugin, tmp_path: Path) -> None:
    config = tmp_path / "plugins" / "config.yaml"
    config.parent.mkdir()
    config.write_text("plugins: [{name: A, kind: a.B, hooks: [tool_pre_invoke]}]\n")
    done = run(rendered, "gateway-config", "--config", str(config), "--transport", "grpc")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {tmp_path / 'gateway' / 'plain_context.py'} does not exist; say where it lies by --shim-dir, "
        "or take http or stdio\n"
    )


def test_it_says_what_the_gateway_needs(rendered: RenderedPlugin) -> None:
    notes = run(rendered, "gateway-config", "--transport", "grpc").stderr
    assert f"PYTHONPATH={rendered.root / 'resources' / 'gateway'}," in notes
    assert "PLUGINS_FAIL_ON_PLUGIN_ERROR=true" in notes
