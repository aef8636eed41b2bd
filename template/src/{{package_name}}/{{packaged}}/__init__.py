"""The runtime: what the distribution plugsmith-runtime has. Managed by plugsmith."""

from typing import TYPE_CHECKING, Any

import plugsmith_runtime
from plugsmith_runtime import commands as commands

if TYPE_CHECKING:
    from plugsmith_runtime import *  # noqa: F403 - its public names
else:

    def __getattr__(name: str) -> Any:
        """Names are imported when somebody asks for them, as in plugsmith_runtime."""
        return getattr(plugsmith_runtime, name)
