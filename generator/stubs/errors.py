"""The error that a person can cause and mend."""


class StubsError(Exception):
    """Stubs cannot be made from what was given.

    Each line says what is wrong, where, and what to do.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
