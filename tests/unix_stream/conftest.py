"""The probe plugin's server, for the tests of this folder."""

from tests.support.probe_server import config, peer, served, stream

__all__ = ["config", "peer", "served", "stream"]
