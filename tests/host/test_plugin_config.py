"""The entry of a plugin on the wire: gateways of every release must accept it."""

from __future__ import annotations

import datetime

import pytest
from plugsmith_runtime.codec.plugin_config import gateway_config, gateway_mode
from plugsmith_runtime.codec.plugin_service import check_configs
from plugsmith_runtime.errors import StartError
from plugsmith_runtime.host.config import PluginConfig, PluginMode

# What the oldest gateways know; the others came with cpex 0.1.
OLD_MODES = {"enforce", "enforce_ignore_error", "permissive", "disabled"}


@pytest.mark.parametrize("mode", list(PluginMode))
def test_every_mode_is_sent_in_a_word_that_old_gateways_know(mode: PluginMode) -> None:
    entry = PluginConfig(name="a", kind="p.A", mode=mode)
    assert gateway_mode(entry) in OLD_MODES
    assert gateway_config(entry)["mode"] == gateway_mode(entry)
    assert mode not in OLD_MODES or gateway_mode(entry) == mode


def test_settings_of_the_server_are_not_sent() -> None:
    day = datetime.date(2026, 1, 2)
    entry = PluginConfig(name="a", kind="p.A", timeout=3.0, on_startup_error="skip", config={"day": day, "none": None})
    sent = gateway_config(entry)
    assert sent.keys() == {"name", "kind", "hooks", "tags", "mode", "priority", "conditions", "config"}
    # As the author wrote it: a transport that knows dates sends them.
    assert sent["config"] == {"day": day, "none": None}


def test_what_cannot_be_sent_as_protobuf_is_said_at_start() -> None:
    entry = PluginConfig(name="a", kind="p.A", config={"n": 2**53 + 1})
    with pytest.raises(StartError, match=r"plugin a: config\.n of its entry .* cannot be sent to gateways: integer"):
        check_configs([entry])
