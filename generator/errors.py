"""Errors that a person can cause: each line says what is wrong, where, and what to do."""

from collections.abc import Sequence


class PlugsmithError(Exception):
    """An error to report without a trace, exit code 2.

    Args:
        problems: one line for each thing that is wrong.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Sequence[str] = problems


class ContractError(PlugsmithError):
    """The contract in proto/ cannot be turned into code."""
