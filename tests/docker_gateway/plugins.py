"""Plugins for Docker's MCP gateway that the template has no starter for."""

from __future__ import annotations

from pathlib import Path

import yaml

SOURCE = """
import os
import time

from {package}.runtime import (
    AuditPlugin, CredentialInfo, CredentialPlugin, CredentialValue, Plugin, PluginViolationError, TelemetryPlugin,
    ToolPreInvokeResult,
)

print("printed while imported", flush=True)


class Vault(CredentialPlugin):
    async def initialize(self):
        print("printed by initialize", flush=True)
        self.kept = {{}}

    async def store_credential(self, credential):
        self.kept[credential.user_id, credential.mcp_server, credential.credential_type] = credential.value

    async def retrieve_credential(self, key):
        value = self.kept.get((key.user_id, key.mcp_server, key.credential_type))
        if value is None:
            raise PluginViolationError("no such credential")
        return CredentialValue(value=value)

    def delete_credential(self, key):
        self.kept.pop((key.user_id, key.mcp_server, key.credential_type), None)

    async def list_credentials(self, owner):
        kept = [(server, kind) for user, server, kind in self.kept if user == owner.user_id]
        return [CredentialInfo(server=server, cred_type=kind) for server, kind in kept]


class Slow(AuditPlugin):
    def log_event(self, event):
        time.sleep(float(event.metadata["seconds"]))

    async def shutdown(self):
        time.sleep(3600)


class Loud(TelemetryPlugin):
    def record_counter(self, metric):
        # More than a pipe holds.
        os.write(1, b"x" * 300_000)

    async def record_gauge(self, metric):
        return metric.value

    async def record_histogram(self, metric):
        raise RuntimeError("the-secret-of-the-plugin")


class Guard(Plugin):
    async def tool_pre_invoke(self, payload, context):
        context.set_state("seen", payload.name)
        return ToolPreInvokeResult(continue_processing=payload.name != "forbidden")
"""


def write_config(folder: Path, package: str, *classes: str) -> Path:
    """Write the plugins, and a configuration that serves some of them.

    Args:
        folder: where to write.
        package: the rendered package whose runtime they use.
        classes: which to serve.

    Returns:
        The configuration file.
    """
    (folder / "docker_plugins.py").write_text(SOURCE.format(package=package))
    entries = [{"name": name, "kind": f"docker_plugins.{name}"} for name in classes]
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"plugin_dirs": ["."], "plugins": entries}))
    return path
