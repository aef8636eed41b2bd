"""Identity of a TLS client: the names in its verified certificate, and which of them may call."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

logger = logging.getLogger(__name__)

_SAN_KINDS = frozenset({"URI", "DNS", "IP Address", "email"})

STATE_KEY = "tls_identities"
"""Key of the client's verified names in `scope["state"]` of an HTTP request."""


def client_identities(peercert: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The names in a verified certificate: its alternative names in their order, then its common name.

    Args:
        peercert: the certificate in the form of `SSLSocket.getpeercert`; None or empty when the client showed none.
    """
    if not peercert:
        return ()
    names = [value for kind, value in peercert.get("subjectAltName", ()) if kind in _SAN_KINDS]
    names += [value for rdn in peercert.get("subject", ()) for kind, value in rdn if kind == "commonName"]
    return tuple(dict.fromkeys(names))


def main_identity(names: Sequence[str]) -> str | None:
    """The one name to show for a client: its URI (a SPIFFE ID, for example), else its first name."""
    return next((name for name in names if "://" in name), names[0] if names else None)


def scope_identity(scope: Mapping[str, Any]) -> str | None:
    """The verified name of the client of an HTTP request, None when it showed no certificate."""
    return main_identity(scope.get("state", {}).get(STATE_KEY, ()))


class ClientAllowList:
    """Allow-list of clients by the names in their certificates: whole names, no patterns, in upper or lower case.

    Args:
        allowed: the names; empty admits every client that the TLS handshake lets in.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(name.casefold() for name in allowed)

    def admits(self, names: Sequence[str]) -> bool:
        """Whether a client may call; logs a refusal.

        Args:
            names: the client's names, as `client_identities` returns them.
        """
        if not self._allowed or not self._allowed.isdisjoint(name.casefold() for name in names):
            return True
        logger.warning("TLS client refused, its names are not in allowed_clients: %s", ", ".join(names) or "none")
        return False
