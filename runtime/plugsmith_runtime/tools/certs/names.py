"""The names in a certificate: hosts classified into DNS names and IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from cryptography import x509

from ...errors import StartError
from ...tls.layout import KeyPairPaths

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def general_name(host: str) -> x509.GeneralName:
    """Turn a host into a subject alternative name: an IP address when it is one, else a DNS name.

    Args:
        host: an address, or a name; international names and a leading "*." are allowed.

    Raises:
        StartError: it is neither.
    """
    text = host.strip().removeprefix("[").removesuffix("]")
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        name = text.lower().encode("idna").decode()
    except UnicodeError:
        name = ""
    labels = name.removesuffix(".").split(".")
    plain = labels[1:] if labels[0] == "*" and len(labels) > 2 else labels
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in plain) or labels[-1].isdigit():
        raise StartError(f"host {host!r}: give a DNS name or an IP address, without scheme and port")
    return x509.DNSName(".".join(labels))


def common_name(place: KeyPairPaths) -> str:
    """The common name of the certificate of a place, which is one of its DNS names too."""
    return f"mcp-plugin-{dns_label(place.name)}" if place.usage == "server" else place.name


def own_names(place: KeyPairPaths) -> list[x509.GeneralName]:
    """The names that the certificate of a place always has.

    A server is reached by its name and on its own machine; a client has only a name.
    """
    names = [common_name(place)]
    if place.usage == "server":
        names += [dns_label(place.name), *LOCAL_HOSTS]
    return [general_name(name) for name in names]


def dns_label(name: str) -> str:
    """Turn a plugin's name into a DNS label, "pii_guard" into "pii-guard"."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:52].strip("-")


def shown(names: Iterable[x509.GeneralName]) -> list[str]:
    """The names as text."""
    return [str(name.value) for name in names]


def names_of(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """The subject alternative names of a certificate."""
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (x509.ExtensionNotFound, ValueError):
        return []
