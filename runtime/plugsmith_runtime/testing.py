"""What a plugin's tests use: the plugin in this process, a client for each transport, certificates, socket folders."""

from .tools.testing import *  # noqa: F403 - the names are those of its __all__
from .tools.testing import __all__ as __all__
