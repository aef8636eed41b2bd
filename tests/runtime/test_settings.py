"""Settings: one precedence everywhere, and documentation that names what is read."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.rendering import RenderedPlugin
from tests.support.serving import config_file, run

_RESOLVE = """
import dataclasses, json, sys
from pathlib import Path
from {package}.runtime.host.config import load_config_file
from {package}.runtime.plugin_server.settings import resolve_settings

def plain(value):
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)
    return {{name: plain(part) for name, part in value._asdict().items()}} if hasattr(value, "_asdict") else value

cli, path = json.loads(sys.argv[1]), Path(sys.argv[2])
print(json.dumps(plain(resolve_settings(cli, load_config_file(path), package={package!r}))))
"""

_NAMES = """
import json
from {package}.runtime.plugin_server.setting_table import CONFIG_PATH, LOG_FORMAT, LOG_LEVEL, SETTINGS
print(json.dumps([item.env for item in (CONFIG_PATH, LOG_FORMAT, LOG_LEVEL, *SETTINGS.values())]))
"""


def resolve(plugin: RenderedPlugin, path: Path, cli: dict[str, Any] | None = None, **environ: str) -> dict[str, Any]:
    done = subprocess.run(
        [str(plugin.python), "-c", _RESOLVE.format(package=plugin.package), json.dumps(cli or {}), str(path)],
        env=plugin.environ | environ,
        capture_output=True,
        text=True,
        check=True,
    )
    settings: dict[str, Any] = json.loads(done.stdout)
    return settings


@pytest.fixture
def config(rendered: RenderedPlugin, tmp_path: Path) -> Path:
    data = yaml.safe_load(config_file(rendered).read_text())
    data["server_settings"] = {"port": 1111, "host": "127.0.0.2"}
    data["plugin_settings"] = {"plugin_timeout": 7}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def test_command_line_before_environment_before_file_before_default(rendered: RenderedPlugin, config: Path) -> None:
    assert resolve(rendered, config_file(rendered))["http"]["port"] == 8000
    assert resolve(rendered, config)["http"]["port"] == 1111
    assert resolve(rendered, config, PLUGINS_SERVER_PORT="2222")["http"]["port"] == 2222
    assert resolve(rendered, config, {"port": "3333"}, PLUGINS_SERVER_PORT="2222")["http"]["port"] == 3333


def test_the_file_sets_the_hook_timeout(rendered: RenderedPlugin, config: Path) -> None:
    assert resolve(rendered, config)["hook_timeout"] == 7
    assert resolve(rendered, config, PLUGINS_HOOK_TIMEOUT="3")["hook_timeout"] == 3


def test_the_old_name_of_the_socket_path_is_read(rendered: RenderedPlugin, config: Path) -> None:
    assert resolve(rendered, config, UNIX_SOCKET_PATH="/tmp/a.sock")["unix"]["path"] == "/tmp/a.sock"
    both = resolve(rendered, config, UNIX_SOCKET_PATH="/tmp/a.sock", PLUGINS_UNIX_SOCKET_PATH="/tmp/b.sock")
    assert both["unix"]["path"] == "/tmp/b.sock"


def test_grpc_listens_on_a_port_beside_its_socket_only_when_the_port_is_given(
    rendered: RenderedPlugin, config: Path
) -> None:
    uds: dict[str, Any] = {"PLUGINS_GRPC_SERVER_UDS": "/tmp/g.sock"}
    assert resolve(rendered, config)["grpc"]["listen_tcp"] is True
    assert resolve(rendered, config, **uds)["grpc"]["listen_tcp"] is False
    assert resolve(rendered, config, PLUGINS_GRPC_SERVER_PORT="50052", **uds)["grpc"]["listen_tcp"] is True


def test_files_without_the_switch_mean_tls(rendered: RenderedPlugin, config: Path) -> None:
    files: dict[str, Any] = {"PLUGINS_SERVER_SSL_CERTFILE": "a.crt", "PLUGINS_SERVER_SSL_KEYFILE": "a.key"}
    assert resolve(rendered, config, **files)["http"]["tls"]["client_auth"] == "require"
    assert resolve(rendered, config, PLUGINS_SERVER_SSL_ENABLED="false", **files)["http"]["tls"] is None


@pytest.mark.parametrize(("number", "word"), [("0", "none"), ("1", "optional"), ("2", "require")])
def test_the_peers_numbers_for_client_certificates(
    rendered: RenderedPlugin, config: Path, number: str, word: str
) -> None:
    files: dict[str, Any] = {"PLUGINS_SERVER_SSL_CERTFILE": "a.crt", "PLUGINS_SERVER_SSL_KEYFILE": "a.key"}
    assert resolve(rendered, config, PLUGINS_SERVER_SSL_CERT_REQS=number, **files)["http"]["tls"]["client_auth"] == word


def test_the_environment_template_names_what_is_read(rendered: RenderedPlugin) -> None:
    done = subprocess.run(
        [str(rendered.python), "-c", _NAMES.format(package=rendered.package)],
        env=rendered.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    read = [tuple(names) for names in json.loads(done.stdout)]
    template = (rendered.root / ".env.template").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", template, re.MULTILINE))
    assert named <= {name for names in read for name in names}
    assert {names[0] for names in read} <= named


def test_help_names_variable_and_default(rendered: RenderedPlugin) -> None:
    text = " ".join(run(rendered, "serve", "--help").stdout.split())
    assert "port of gRPC; 0 for a free one [PLUGINS_GRPC_SERVER_PORT; default: 50051]" in text
