"""`check` finds what would keep a server from its work, and says what to do."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator import __version__
from tests.support.rendering import RenderedPlugin
from tests.support.serving import config_file, run, serve

Finding = tuple[str, str, str, str]


def check(plugin: RenderedPlugin, *options: str, expect: int = 0, **variables: str) -> list[Finding]:
    done = run(plugin, "check", "--json", *options, **variables)
    assert done.returncode == expect, done.stdout + done.stderr
    return [(item["subject"], item["level"], item["text"], item["todo"]) for item in json.loads(done.stdout)]


def problems(plugin: RenderedPlugin, *options: str, **variables: str) -> list[Finding]:
    return [item for item in check(plugin, *options, expect=1, **variables) if item[1] == "problem"]


def configured(plugin: RenderedPlugin, folder: Path, **changes: Any) -> str:
    """A copy of the configuration with another entry for the plugin."""
    config = yaml.safe_load(config_file(plugin).read_text())
    config["plugins"][0] |= changes
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return str(path)


def places(folder: Path) -> list[str]:
    return ["--port", "0", "--grpc-port", "0", "--grpc-uds", f"{folder}/g.sock", "--socket", f"{folder}/u.sock"]


def test_all_is_well(author: RenderedPlugin, short_path: Path) -> None:
    found = check(author, "--transport", "http,grpc,unix", *places(short_path))
    assert {item[1] for item in found} == {"ok", "note"}
    assert [item[2] for item in found if item[1] == "note"] == ["my-plugin is not installed as a package"]
    assert ("sockets", "ok", f"unix://{short_path}/u.sock: free", "") in found
    assert ("config", "ok", "plugin MyPlugin: tool_pre_invoke, tool_post_invoke", "") in found


def test_the_runtime_says_its_version(author: RenderedPlugin) -> None:
    texts = [text for subject, level, text, _ in check(author, "--port", "0") if (subject, level) == ("versions", "ok")]
    assert f"plugsmith-runtime {__version__} (vendored)" in texts


def test_a_runtime_that_was_changed_by_hand_is_a_note(author: RenderedPlugin) -> None:
    host = author.root / "src/my_plugin/runtime/host/host.py"
    text = host.read_text()
    host.write_text(text + "# mine\n")
    try:
        notes = [item for item in check(author, "--port", "0") if item[1] == "note"]
    finally:
        host.write_text(text)
    assert (
        "versions",
        "note",
        f"plugsmith-runtime {__version__} (vendored): 1 file is not as released: host/host.py",
        "an update may conflict there: undo the change, and ask for it in the template",
    ) in notes


def test_it_is_a_table_for_people(author: RenderedPlugin, short_path: Path) -> None:
    (short_path / "u.sock").write_text("")
    done = run(author, "check", "--transport", "unix", *places(short_path))
    assert done.returncode == 1
    assert "1 of 6 findings must be put right" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[-2] == f"sockets   problem  {short_path}/u.sock: a file that is no socket is in the way"
    assert lines[-1].strip() == "-> move it or choose another path with --socket or PLUGINS_UNIX_SOCKET_PATH"


def test_a_server_of_ours_is_no_problem(author: RenderedPlugin) -> None:
    with serve(author, "http,grpc,unix") as served:
        path = served.endpoints["unix"].removeprefix("unix://")
        port = served.endpoints["http"].rpartition(":")[2].removesuffix("/mcp")
        found = check(author, "--transport", "http,unix", "--port", port, "--socket", path)
    states = [text.partition(": ")[2] for subject, _, text, _ in found if subject in ("ports", "sockets")]
    assert states == ["a server of this repository answers there"] * 2


def test_somebody_elses_server_is_one(author: RenderedPlugin, tmp_path: Path) -> None:
    other = configured(author, tmp_path, name="Other")
    with serve(author, "http", "--config", other) as served:
        port = served.endpoints["http"].rpartition(":")[2].removesuffix("/mcp")
        (found,) = problems(author, "--transport", "http", "--port", port)
    assert found[2] == f"http://127.0.0.1:{port}/mcp: a server of other plugins answers there (Other)"
    assert found[3] == "stop it, or choose another port with --port or PLUGINS_SERVER_PORT"


def test_a_taken_port_is_one(author: RenderedPlugin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (found,) = problems(author, "--transport", "grpc", "--grpc-port", str(port))
    assert found[2] == f"127.0.0.1:{port}: the port is in use"
    assert found[3] == "stop the other server or choose another port with --grpc-port or PLUGINS_GRPC_SERVER_PORT"


def test_a_dead_servers_socket_is_left_alone(author: RenderedPlugin, short_path: Path) -> None:
    path = short_path / "u.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    found = check(author, "--transport", "unix", "--socket", str(path))
    assert found[-1][2].endswith("u.sock: free, once the next start has removed what a dead server left")
    assert path.exists()


@pytest.mark.parametrize(
    ("changes", "text", "todo"),
    [
        ({"kind": "my_plugin.plugin.Other"}, "my_plugin.plugin.Other is not a subclass of Plugin", "import it from"),
        ({"config": {"forbid": ["x"], "maks": 1}}, "config.maks: Extra inputs are not permitted", ""),
        ({"hooks": ["tool_pre_invok"]}, "unknown hook 'tool_pre_invok'", "did you mean tool_pre_invoke?"),
        (
            {"hooks": ["tool_pre_invoke", "tool_post_invoke", "prompt_pre_fetch"]},
            "lists hook prompt_pre_fetch, which my_plugin.plugin.MyPlugin does not implement",
            "write its method, or take it out of hooks",
        ),
    ],
)
def test_a_plugin_that_cannot_do_its_work(
    author: RenderedPlugin, tmp_path: Path, changes: dict[str, Any], text: str, todo: str
) -> None:
    config = configured(author, tmp_path, **changes)
    ((subject, _, found, advice),) = problems(author, "--config", config, "--port", "0")
    assert subject == "config"
    assert text in found + advice
    assert todo in found + advice


def test_a_hook_that_the_gateway_would_never_call_is_a_note(author: RenderedPlugin, tmp_path: Path) -> None:
    config = configured(author, tmp_path, hooks=["tool_pre_invoke"])
    notes = [item for item in check(author, "--config", config, "--port", "0") if item[1] == "note"]
    assert "implements hook tool_post_invoke, which its entry does not list" in notes[-1][2]


def test_a_file_that_cannot_be_read(author: RenderedPlugin, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("plugins: [")
    (found,) = problems(author, "--config", str(path))
    assert found[0] == "config"
    assert str(path) in found[2]


def test_a_misspelt_variable(author: RenderedPlugin) -> None:
    (found,) = problems(author, "--port", "0", PLUGINS_SERVER_SLL_ENABLED="true", PLUGINS_CONFIG_FILE="the gateway's")
    assert found[2:] == (
        "PLUGINS_SERVER_SLL_ENABLED is set, but is no setting",
        "did you mean PLUGINS_SERVER_SSL_ENABLED?",
    )


def test_certificates(author: RenderedPlugin) -> None:
    (found,) = problems(author, "--tls", "--port", "0")
    assert "make certificates in certs/mcp (make certs-mcp-all)" in found[3]
    try:
        assert run(author, "certs", "all").returncode == 0
        texts = [text for subject, _, text, _ in check(author, "--tls", "--port", "0") if subject == "certificates"]
        assert texts[0] == "http serves with certs/mcp/plugins/my-plugin/server.crt, for clients with a certificate"
        assert "certs/mcp/gateway/client.crt: 365 days left" in texts
        (author.root / "certs/mcp/plugins/my-plugin/server.key").write_text("")
        wrong = problems(author, "--tls", "--port", "0")
        assert len(wrong) == 2
        assert all("certs/mcp/plugins/my-plugin/server" in text for _, _, text, _ in wrong)
    finally:
        for path in sorted((author.root / "certs").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (author.root / "certs").rmdir()


def test_an_open_address_without_tls_is_a_note(author: RenderedPlugin) -> None:
    notes = [item for item in check(author, "--host", "0.0.0.0", "--port", "0") if item[1] == "note"]
    assert notes[-1][2] == "http listens on 0.0.0.0 without TLS: whoever reaches it can call the plugin"


def test_what_is_missing_or_too_old(author: RenderedPlugin, tmp_path: Path) -> None:
    """The package's own metadata say what it needs; here they ask for more than there is."""
    folder = tmp_path / "my_plugin-1.0.dist-info"
    folder.mkdir()
    needs = ["pydantic>=99", "no-such-package>=1", "grpcio<99,>=98; extra == 'grpc'", "nothing; sys_platform == 'x'"]
    lines = ["Metadata-Version: 2.1", "Name: my-plugin", "Version: 1.0", *(f"Requires-Dist: {need}" for need in needs)]
    (folder / "METADATA").write_text("\n".join(lines) + "\n")
    path = f"{author.root / 'src'}:{tmp_path}"
    found = problems(author, "--transport", "unix", "--socket", f"{tmp_path}/u", PYTHONPATH=path)
    texts = [(text.partition(" is ")[2], todo) for subject, _, text, todo in found if subject == "versions"]
    assert texts == [
        ("older than 99", "touch pyproject.toml && make install brings a newer one"),
        ("not installed", "make install installs it"),
        ("older than 98", "touch pyproject.toml && make install-grpc brings a newer one"),
    ]
    assert not [item for item in check(author, "--port", "0", "--transport", "http") if "grpcio" in item[2]]
