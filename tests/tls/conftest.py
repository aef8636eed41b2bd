"""A plugin that tells who called it, its certificates, and its servers."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rendering import RenderedPlugin, rendered_plugin
from tests.support.serving import Served, environ, run, serve

from .tools import TlsClient, tls_environ

WHO = """
from {package}.runtime import Plugin, ToolPreInvokeResult


class Who(Plugin):
    def tool_pre_invoke(self, payload, context):
        args = {{"identity": context.metadata.get("client_identity")}}
        return ToolPreInvokeResult(modified_payload=payload.model_copy(update={{"args": args}}))
"""


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> RenderedPlugin:
    """A rendered plugin that answers with its caller's identity, in an environment with the extras grpc and certs."""
    made = rendered_plugin(tmp_path_factory.mktemp("tls") / "plugin", "grpc", "certs", plugin_name="Pii Guard")
    (made.root / "who.py").write_text(WHO.format(package=made.package))
    config = "plugin_dirs: [../..]\nplugins: [{name: Who, kind: who.Who, hooks: [tool_pre_invoke]}]\n"
    (made.root / "resources" / "plugins" / "config.yaml").write_text(config)
    return made


@pytest.fixture(scope="session")
def certs(plugin: RenderedPlugin) -> Path:
    """The folder that `certs all` makes, with further certificates that are wrong in some way."""
    done = run(plugin, "certs", "all")
    assert done.returncode == 0, done.stderr
    folder = plugin.root / "certs" / "mcp"
    script = str(Path(__file__).with_name("invalid_certificates.py"))
    subprocess.run([str(plugin.python), script, str(folder), plugin.package], env=environ(plugin), check=True)
    return folder


@pytest.fixture(scope="session")
def server(plugin: RenderedPlugin, certs: Path) -> Iterator[Served]:
    """A server with mutual TLS on HTTP and gRPC."""
    with serve(plugin, "http,grpc", "--grpc-uds", "", "--tls", **tls_environ(certs)) as served:
        yield served


@pytest.fixture(scope="session")
def client(plugin: RenderedPlugin, certs: Path) -> TlsClient:
    """A client in a process of its own."""
    return TlsClient(plugin, certs)
