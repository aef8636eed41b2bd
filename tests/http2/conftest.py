"""The probe plugin's server, for the tests of this folder."""

from tests.support.probe_server import config, served

__all__ = ["config", "served"]
