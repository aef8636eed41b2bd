"""The error that a person can cause and mend."""

from ..errors import PlugsmithError


class StubsError(PlugsmithError):
    """Stubs cannot be made from what was given, or not be written where they should go."""
