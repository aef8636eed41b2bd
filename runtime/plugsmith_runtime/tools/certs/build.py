"""Builder of certificates after RFC 5280: `openssl verify -x509_strict` accepts each for its own purpose only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ...tls.layout import Usage
from .files import PrivateKey

CLOCK_SKEW = timedelta(minutes=5)
"""Time by which the validity starts in the past, for machines whose clocks are behind."""

EXTENDED_USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


def build_ca(key: PrivateKey, name: str, days: int) -> x509.Certificate:
    """Build the certificate of an authority that signs leaf certificates only.

    Args:
        key: the authority's key.
        name: its common name.
        days: its lifetime.
    """
    builder = _builder(key, name, _subject(name), days)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())


def build_leaf(
    key: PrivateKey,
    usage: Usage,
    name: str,
    alternatives: Sequence[x509.GeneralName],
    days: int,
    ca: x509.Certificate,
    ca_key: PrivateKey,
) -> x509.Certificate:
    """Build the certificate of a server or a client.

    Args:
        key: its key.
        usage: "server" or "client".
        name: its common name.
        alternatives: its subject alternative names.
        days: its lifetime, which ends with the authority's at the latest.
        ca: the authority's certificate.
        ca_key: the authority's key.
    """
    builder = _builder(key, name, ca.subject, days, ca.not_valid_after_utc)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(digital_signature=True), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([EXTENDED_USAGES[usage]]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    identifier = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    return builder.add_extension(issuer, critical=False).sign(ca_key, hashes.SHA256())


def _builder(
    key: PrivateKey, name: str, issuer: x509.Name, days: int, latest: datetime | None = None
) -> x509.CertificateBuilder:
    # RFC 5280, 4.1.2.5: the validity includes both of its ends.
    start = datetime.now(UTC).replace(microsecond=0) - CLOCK_SKEW
    end = start + timedelta(days=days) - timedelta(seconds=1)
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(min(end, latest) if latest else end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _key_usage(digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    # No key encipherment: the TLS 1.2 and 1.3 cipher suites in use exchange keys with (EC)DHE, and RSA keys only sign.
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
