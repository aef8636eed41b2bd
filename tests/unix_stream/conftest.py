"""The probe plugin's server, for the tests of this folder."""

from tests.support.probe_server import config, config_in_place, peer, served, stream

__all__ = ["config", "config_in_place", "peer", "served", "stream"]
