"""docs/observability.md says what is: metrics, their types and labels, the settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.observability.scraping import get
from tests.support.faulty_plugin import write_config
from tests.support.rendering import ROOT, RenderedPlugin
from tests.support.serving import serve
from tests.support.transport_clients import connect_client

PAGE = (ROOT / "docs" / "observability.md").read_text()
# Where no certificate is served there is no sample.
CERTIFICATE = "plugin_certificate_expiry_timestamp_seconds"


def test_the_metrics_are_those_of_a_server(rendered: RenderedPlugin, pb: Any, tmp_path: Path) -> None:
    rows = re.findall(r"^\| `(plugin_\w+)` \| (\w+) \| ([\w, ]+) \|", PAGE, re.MULTILINE)
    config = write_config(tmp_path, rendered)
    with serve(rendered, "http", "--config", str(config)) as served:
        with connect_client(served, "http", pb) as line:
            line.call("echo")
        text = get(served.endpoints["http"].replace("/mcp", "/metrics"))[2]
    found = {}
    for family in text_string_to_metric_families(text):
        if family.name.startswith("plugin_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            found[name] = (family.type, labels)
    found[CERTIFICATE] = ("gauge", {"transport"})
    assert {name: (kind, set(labels.split(", "))) for name, kind, labels in rows} == found


def test_the_settings_are_those_of_the_server(rendered: RenderedPlugin) -> None:
    known = (rendered.root / ".env.template").read_text()
    named = set(re.findall(r"PLUGINS_[A-Z_]+", PAGE))
    assert "PLUGINS_ADMIN_PORT" in named
    assert not [name for name in named if f"#{name}=" not in known]
