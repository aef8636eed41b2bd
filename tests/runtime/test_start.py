"""A start that cannot serve what was asked fails: one line, exit code 2, and nothing is left behind."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from tests.support.rendering import RenderedPlugin
from tests.support.serving import config_file, run, serve


@pytest.fixture
def config(rendered: RenderedPlugin, tmp_path: Path) -> Path:
    """A copy of the plugin's configuration that a test may change."""
    path = tmp_path / "config.yaml"
    path.write_text(config_file(rendered).read_text())
    return path


def change(path: Path, **plugin: object) -> Path:
    data = yaml.safe_load(path.read_text())
    data["plugins"][0] |= plugin
    path.write_text(yaml.safe_dump(data))
    return path


def refused(rendered: RenderedPlugin, *arguments: str, **environ: str) -> str:
    done = run(rendered, "serve", *arguments, **environ)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def test_missing_config(rendered: RenderedPlugin) -> None:
    text = refused(rendered, "--config", "nowhere.yaml")
    assert "nowhere.yaml: cannot read the configuration file (No such file or directory)" in text
    assert "PLUGINS_CONFIG_PATH" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("plugins: [", "not valid YAML"),
        ("- a", "must be a map with the key 'plugins'"),
        ("plugins: []", "'plugins' lists no plugin"),
        ("plugins: [{name: A, kind: a.B, hoooks: []}]", "plugins.0.hoooks: Extra inputs are not permitted"),
        ("plugins: [{name: A, kind: a.B}, {name: a, kind: a.B}]", "two plugins are named 'A'"),
        ("plugins: [{name: A, kind: a.B}]\nserver_settings: {prot: 1}", "server_settings: unknown key 'prot'"),
        ("plugins: [{name: A, kind: a.B}]\nserver_settings: {tls: {cert: x}}", "server_settings.tls: unknown key"),
        ("plugins: [{name: A, kind: a.B, mode: disabled}]", "every plugin of the configuration file is disabled"),
        ("plugins: [{name: A, kind: B}]", "must be written as package.module.Class"),
        ("plugins: [{name: A, kind: no_such_module.B}]", "cannot import no_such_module: ModuleNotFoundError"),
        ("plugins: [{name: A, kind: json.JSONDecoder}]", "json.JSONDecoder is not a subclass of Plugin"),
        ("plugins: [{name: A, kind: a.B, hooks: [tool_pre_invok]}]", "did you mean tool_pre_invoke?"),
    ],
)
def test_config_that_does_not_fit(rendered: RenderedPlugin, config: Path, content: str, message: str) -> None:
    config.write_text(content)
    assert message in refused(rendered, "--config", str(config))


def test_plugin_settings_that_do_not_validate(rendered: RenderedPlugin, config: Path) -> None:
    text = refused(rendered, "--config", str(change(config, config={"mask": ["not", "a", "string"]})))
    assert "plugin 'WordGuard': config.mask: Input should be a valid string" in text


def test_plugin_that_does_not_initialize(rendered: RenderedPlugin, config: Path, tmp_path: Path) -> None:
    (tmp_path / "broken_plugin.py").write_text(
        f"from {rendered.package}.plugin import *\n"
        f"from {rendered.package}.runtime import Plugin, ToolPreInvokeResult\n"
        "class Broken(Plugin):\n"
        "    async def initialize(self): raise OSError('no database')\n"
        "    async def tool_pre_invoke(self, payload, context): return ToolPreInvokeResult()\n"
    )
    data = {"plugins": [{"name": "Broken", "kind": "broken_plugin.Broken"}], "plugin_dirs": ["."]}
    config.write_text(yaml.safe_dump(data))
    text = refused(rendered, "--config", str(config))
    assert "plugin 'Broken': initialize() failed: OSError: no database" in text


def test_unknown_transport(rendered: RenderedPlugin) -> None:
    assert "unknown transport 'htp'; choose from http, stdio, grpc, unix" in refused(rendered, "--transport", "htp")


def test_setting_that_does_not_parse(rendered: RenderedPlugin) -> None:
    text = refused(rendered, PLUGINS_SERVER_PORT="eighty")
    assert "PLUGINS_SERVER_PORT: 'eighty'" in text


@pytest.mark.parametrize(("transport", "option"), [("http", "--port"), ("grpc", "--grpc-port")])
def test_port_in_use(rendered: RenderedPlugin, transport: str, option: str) -> None:
    with serve(rendered, transport) as first:
        port = first.endpoints[transport].split(":")[2].partition("/")[0]
        text = refused(rendered, "--transport", transport, option, port)
    assert f"127.0.0.1:{port}: the port is in use" in text
    assert option in text


@pytest.mark.parametrize(("transport", "option"), [("unix", "--socket"), ("grpc", "--grpc-uds"), ("http", "--uds")])
class TestUnixSocketPaths:
    def test_live_server(self, rendered: RenderedPlugin, transport: str, option: str, short_path: Path) -> None:
        path = short_path / "s.sock"
        with serve(rendered, transport, option, str(path)):
            text = refused(rendered, "--transport", transport, option, str(path))
            assert f"{path}: another server is listening there" in text
            assert path.is_socket()
            assert path.stat().st_mode & 0o777 == 0o600
        assert not path.exists()

    def test_dead_server(self, rendered: RenderedPlugin, transport: str, option: str, short_path: Path) -> None:
        path = short_path / "s.sock"
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        with serve(rendered, transport, option, str(path)) as served:
            assert any(endpoint.endswith(str(path)) for endpoint in served.endpoints.values())

    def test_file_in_the_way(self, rendered: RenderedPlugin, transport: str, option: str, short_path: Path) -> None:
        path = short_path / "s.sock"
        path.write_text("precious")
        text = refused(rendered, "--transport", transport, option, str(path))
        assert "a file that is no socket is in the way" in text
        assert path.read_text() == "precious"

    def test_too_long(self, rendered: RenderedPlugin, transport: str, option: str, short_path: Path) -> None:
        text = refused(rendered, "--transport", transport, option, str(short_path / ("x" * 120)))
        assert "too long for a Unix socket" in text

    def test_open_folder(self, rendered: RenderedPlugin, transport: str, option: str, short_path: Path) -> None:
        short_path.chmod(0o777)
        text = refused(rendered, "--transport", transport, option, str(short_path / "s.sock"))
        assert "anybody may replace files in this folder" in text


@pytest.mark.parametrize(
    ("transport", "prefix"), [("http", "PLUGINS_SERVER_SSL_"), ("grpc", "PLUGINS_GRPC_SERVER_SSL_")]
)
def test_tls_without_its_files(rendered: RenderedPlugin, transport: str, prefix: str) -> None:
    text = refused(rendered, "--transport", transport, **{f"{prefix}ENABLED": "true"})
    assert "is asked for, but no certfile is given" in text
    assert f"{prefix}CERTFILE" in text


def test_a_failed_transport_stops_the_others(rendered: RenderedPlugin, short_path: Path) -> None:
    path = short_path / "s.sock"
    with serve(rendered, "http") as first:
        port = first.endpoints["http"].split(":")[2].partition("/")[0]
        done = run(rendered, "serve", "--transport", "unix,http", "--socket", str(path), "--port", port)
    assert done.returncode == 2
    assert not path.exists()
