"""Who a client is: the names in the certificate that its TLS handshake proved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SAN_KINDS = frozenset({"URI", "DNS", "IP Address", "email"})

STATE_KEY = "tls_identities"
"""Where `scope["state"]` of an HTTP request holds the client's verified names."""


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


def identity_allowed(names: Iterable[str], allowed: Iterable[str]) -> bool:
    """Whether one of a client's names is in the allow-list: whole names, no patterns, upper and lower case alike."""
    return not {name.casefold() for name in allowed}.isdisjoint(name.casefold() for name in names)


def scope_identity(scope: Mapping[str, Any]) -> str | None:
    """The verified name of the client of an HTTP request, None when it showed no certificate."""
    return main_identity(scope.get("state", {}).get(STATE_KEY, ()))
