"""The generator's errors, below the base that it shares with the runtime."""

from plugsmith_runtime.errors import PlugsmithError as PlugsmithError


class ContractError(PlugsmithError):
    """The contract in proto/ cannot be turned into code."""
