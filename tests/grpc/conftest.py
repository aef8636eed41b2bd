"""The probe plugin's server, for the tests of this folder."""

from tests.support.probe_server import channel, config, config_in_place, served

__all__ = ["channel", "config", "config_in_place", "served"]
