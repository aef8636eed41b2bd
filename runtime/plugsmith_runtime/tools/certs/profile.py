"""Profile of certificates: the names in them and their lifetimes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping

from cryptography import x509

from ...errors import StartError
from ...tls.layout import KeyPairPaths

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")

DAYS_VARIABLE = "MCP_CERT_DAYS"
"""The gateway's variable for the lifetime of leaf certificates."""

LEAF_DEFAULT_DAYS = 365
"""Servers take a renewed certificate without a restart; a longer lifetime would only keep a lost key alive."""

LEAF_MAX_DAYS = 825
"""The longest lifetime that Apple's TLS accepts of a server under a private authority, and the gateway's default."""

CA_DEFAULT_DAYS = CA_MAX_DAYS = 3650
"""Each client and server must be given a new authority by hand, and no client limits an authority's lifetime."""

_COMMON_NAME_LABEL_CHARS = 52
_DNS_NAME_MAX_CHARS = 253
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def general_name(host: str) -> x509.GeneralName:
    """The subject alternative name of a host: an IP address if it is one, else a DNS name.

    Args:
        host: an address or a name; international names and a leading "*." are allowed.

    Raises:
        StartError: the host is neither.
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
    literal = labels[1:] if labels[0] == "*" and len(labels) > 2 else labels
    valid = all(_DNS_LABEL.fullmatch(label) for label in literal)
    if len(name) > _DNS_NAME_MAX_CHARS or not valid or labels[-1].isdigit():
        raise StartError(f"host {host!r}: give a DNS name or an IP address, without scheme and port")
    return x509.DNSName(".".join(labels))


def common_name(paths: KeyPairPaths) -> str:
    """The common name of a certificate, which is one of its DNS names too."""
    return f"mcp-plugin-{_dns_label(paths.name)}" if paths.usage == "server" else paths.name


def default_names(paths: KeyPairPaths) -> list[x509.GeneralName]:
    """The alternative names that every certificate of this owner has.

    Clients reach a server by its name and, on its own machine, by the local hosts; a client has only a name.
    """
    names = [common_name(paths)]
    if paths.usage == "server":
        names += [_dns_label(paths.name), *LOCAL_HOSTS]
    return [general_name(name) for name in names]


def alternative_names(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """The subject alternative names of a certificate."""
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (x509.ExtensionNotFound, ValueError):
        return []


def name_texts(names: Iterable[x509.GeneralName]) -> list[str]:
    """Alternative names as text."""
    return [str(name.value) for name in names]


def leaf_days(option: int | None, environ: Mapping[str, str]) -> int:
    """The lifetime of a server's or client's certificate, in days.

    Args:
        option: the command line's --days.
        environ: the environment, which may hold MCP_CERT_DAYS.

    Raises:
        StartError: the lifetime is out of range.
    """
    if option is not None:
        return _check_days(option, "--days", LEAF_MAX_DAYS)
    text = environ.get(DAYS_VARIABLE, "").strip()
    if not text:
        return LEAF_DEFAULT_DAYS
    if not text.isdecimal():
        raise StartError(f"{DAYS_VARIABLE} is {text!r}: set it to a number of days from 1 to {LEAF_MAX_DAYS}")
    return _check_days(int(text), DAYS_VARIABLE, LEAF_MAX_DAYS)


def ca_days(option: int | None) -> int:
    """The lifetime of the authority's certificate, in days.

    Raises:
        StartError: the lifetime is out of range.
    """
    return CA_DEFAULT_DAYS if option is None else _check_days(option, "--days", CA_MAX_DAYS)


def _dns_label(name: str) -> str:
    """The DNS label of a plugin: "pii-guard" for "pii_guard"."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_COMMON_NAME_LABEL_CHARS].strip("-")


def _check_days(days: int, source: str, maximum: int) -> int:
    if not 1 <= days <= maximum:
        raise StartError(f"{source} is {days}: set it to a number of days from 1 to {maximum}")
    return days
