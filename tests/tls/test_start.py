"""TLS settings that cannot be honoured stop the start, in one line that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugsmith_runtime.errors import StartError

from tests.support.faulty_plugin import write_config_in_place
from tests.support.in_process import serve_in_process
from tests.support.rendering import RenderedPlugin
from tests.support.serving import run, serve

from .tools import SERVER, TRANSPORTS, tls_environ


def refused(plugin: RenderedPlugin, transport: str, *options: str, **environ: str) -> str:
    places = ["--port", "0", "--grpc-port", "0"]
    done = run(plugin, "serve", "--transport", transport, *places, *options, **environ)
    assert done.returncode == 2, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"certfile": "{certs}/none.crt"}, "TLS certificate file {certs}/none.crt does not exist"),
        ({"keyfile": "{certs}/none.key"}, "TLS key file {certs}/none.key does not exist"),
        ({"certfile": "{certs}"}, "TLS certificate file {certs} cannot be read (Is a directory)"),
        ({"certfile": "{certs}/client-cn.key"}, "client-cn.key does not hold a certificate in PEM form"),
        ({"keyfile": "{certs}/client-cn.crt"}, "client-cn.crt does not hold a private key in PEM form"),
        ({"keyfile": "{certs}/client-cn.key"}, "{certs}/client-cn.key does not belong to the certificate {certs}/"),
        ({"server": "server-expired"}, "{certs}/server-expired.crt has expired"),
        ({"server": "server-future"}, "{certs}/server-future.crt is not valid yet"),
        ({"server": "client-uri"}, "{certs}/client-uri.crt is not for servers"),
        ({"server": "server-encrypted"}, "{certs}/server-encrypted.key is encrypted: set keyfile_password"),
        ({"server": "server-encrypted", "keyfile_password": "wrong"}, "keyfile_password is wrong"),
        ({"ca_certs": ""}, "client_auth is require for the {transport} transport, but no ca_bundle is set"),
        ({"ca_certs": "{certs}/none.crt"}, "CA bundle file {certs}/none.crt does not exist"),
        ({"ca_certs": "{certs}/client-cn.key"}, "client-cn.key does not hold certificates in PEM form"),
        ({"ca_certs": "{certs}/expired-ca.crt"}, "CA bundle file {certs}/expired-ca.crt has expired"),
        ({"client_auth": "maybe"}, "'maybe': set it to none, optional or require"),
        ({"client_auth": "none", "allowed_clients": "a"}, "allowed_clients is set for the {transport} transport"),
        ({"certfile": ""}, "no certfile is given"),
    ],
)
def test_refused(certs: Path, tmp_path: Path, transport: str, changed: dict[str, str], message: str) -> None:
    """In this process: the tests below see what a command makes of it."""
    config = write_config_in_place(tmp_path)
    settings = {name: text.format(certs=certs) for name, text in changed.items()}
    environ = tls_environ(certs, settings.pop("server", SERVER), **settings)
    with pytest.raises(StartError) as caught, serve_in_process(config, transport, "--grpc-uds", "", **environ):
        pass
    assert message.format(certs=certs, transport=transport) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_files(plugin: RenderedPlugin, certs: Path, tmp_path: Path) -> None:
    for suffix, what in (("crt", "TLS certificate"), ("key", "TLS key")):
        content = (certs / f"{SERVER}.{suffix}").read_text().splitlines()
        damaged = tmp_path / f"damaged.{suffix}"
        damaged.write_text("\n".join([content[0], *content[2:]]))
        damaged.chmod(0o600)
        name = {"crt": "certfile", "key": "keyfile"}[suffix]
        text = refused(plugin, "http", **tls_environ(certs, **{name: str(damaged)}))
        assert f"{what} file {damaged} cannot be parsed" in text


def test_optional_on_grpc(plugin: RenderedPlugin, certs: Path) -> None:
    text = refused(plugin, "grpc", **tls_environ(certs, client_auth="optional"))
    assert "client_auth is optional for the grpc transport, which has no such thing" in text


def test_unix_sockets(plugin: RenderedPlugin, certs: Path, short_path: Path) -> None:
    for transport, option in (("http", "--uds"), ("grpc", "--grpc-uds")):
        text = refused(plugin, transport, option, str(short_path / "a.sock"), **tls_environ(certs))
        assert f"TLS is set for the {transport} transport on the Unix socket {short_path}/a.sock" in text


def test_yaml(plugin: RenderedPlugin, certs: Path, tmp_path: Path) -> None:
    """The file's settings count as the environment's do."""
    config = tmp_path / "config.yaml"
    own = (plugin.root / "resources" / "plugins" / "config.yaml").read_text().replace("../..", str(plugin.root))
    pair = f"certfile: {certs}/{SERVER}.crt, keyfile: {certs}/{SERVER}.key"
    config.write_text(f"{own}grpc_server_settings: {{tls: {{{pair}, client_auth: optional, ca_bundle: x}}}}\n")
    text = refused(plugin, "grpc", "--config", str(config))
    assert "client_auth is optional" in text


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_warnings(plugin: RenderedPlugin, certs: Path, tmp_path: Path, transport: str) -> None:
    """What is allowed but should be mended is logged, once."""
    for suffix in ("crt", "key"):
        (tmp_path / f"server.{suffix}").write_bytes((certs / f"server-name.{suffix}").read_bytes())
        (tmp_path / f"server.{suffix}").chmod(0o640)
    environ = tls_environ(certs, certfile=str(tmp_path / "server.crt"), keyfile=str(tmp_path / "server.key"))
    with serve(plugin, transport, "--grpc-uds", "", "--tls", **environ) as served:
        pass
    for text in (f"{tmp_path}/server.crt expires in 1.0 days", f"{tmp_path}/server.key can be read by other users"):
        assert sum(text in line for line in served.log) == 1, served.log


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_encrypted_key_needs_no_further_package(
    plugin: RenderedPlugin, rendered: RenderedPlugin, certs: Path, transport: str
) -> None:
    bare = RenderedPlugin(plugin.root, plugin.package, rendered.python)
    environ = tls_environ(certs, "server-encrypted", keyfile_password="right")
    with serve(bare, transport, "--grpc-uds", "", "--tls", **environ) as served:
        assert served.endpoints
