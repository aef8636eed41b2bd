"""Makes certificates that no server should take. Run by the Python of a rendered plugin: FOLDER PACKAGE."""

# mypy: ignore-errors
# It imports what only that interpreter has.

import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

folder, package = Path(sys.argv[1]), sys.argv[2]
build = import_module(f"{package}.runtime.tools.certs.build")
profile = import_module(f"{package}.runtime.tools.certs.profile")
files = import_module(f"{package}.runtime.tools.certs.files")
x509 = import_module("cryptography.x509")
hashes = import_module("cryptography.hazmat.primitives.hashes")
encoding = import_module("cryptography.hazmat.primitives.serialization").Encoding.PEM

ca = x509.load_pem_x509_certificate((folder / "ca" / "ca.crt").read_bytes())
ca_key = files.read_key(folder / "ca" / "ca.key", None)
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def leaf(
    name,
    usage,
    hosts,
    start=NOW - DAY,
    end=NOW + DAY,
    common_name=None,
    password=None,
    authority=(ca, ca_key),
    keep=None,
):
    issuer, issuer_key = authority
    key = keep or files.generate_key("ec")
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name or name)]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.ExtendedKeyUsage([build.EXTENDED_USAGES[usage]]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    files.write_pair(
        folder / f"{name}.crt", builder.sign(issuer_key, hashes.SHA256()).public_bytes(encoding),
        folder / f"{name}.key", files.encode_key(key, password),
    )  # fmt: skip
    return key


local = [profile.general_name(host) for host in profile.LOCAL_HOSTS]
client = [profile.general_name("mcp-gateway")]
leaf("client-expired", "client", client, NOW - 2 * DAY, NOW - DAY)
leaf("client-future", "client", client, NOW + DAY, NOW + 2 * DAY)
leaf("client-uri", "client", [x509.UniformResourceIdentifier("spiffe://example/gateway"), *client])
leaf("client-cn", "client", [], common_name="named by CN only")
leaf("server-expired", "server", local, NOW - 2 * DAY, NOW - DAY)
leaf("server-future", "server", local, NOW + DAY, NOW + 2 * DAY)
leaf("server-name", "server", [profile.general_name("plugin.example")])
leaf("server-ip", "server", [profile.general_name("10.1.2.3")])
leaf("server-encrypted", "server", local, password=b"right")

other_key = files.generate_key("ec")
other = build.build_ca(other_key, "MCP plugin CA", 30)  # the same name as the real one: only the key tells them apart
leaf("client-other", "client", client, authority=(other, other_key))
files.write_file(folder / "other-ca.crt", other.public_bytes(encoding), 0o644)


def authority(name, path_length, issuer=None):
    key = files.generate_key("ec")
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer[0].subject if issuer else x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(build._key_usage(key_cert_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signer = (issuer[1] if issuer else key).public_key()
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


root = authority("company root", 1)
middle = authority("company middle", 0, root)
files.write_file(folder / "root.crt", root[0].public_bytes(encoding), 0o644)
for name, usage in (("client-chain", "client"), ("server-chain", "server")):
    leaf(name, usage, local, authority=middle)
    chain = (folder / f"{name}.crt").read_bytes() + middle[0].public_bytes(encoding)
    files.write_file(folder / f"{name}.crt", chain, 0o644)

build.CLOCK_SKEW = 3 * DAY
old = build.build_ca(files.generate_key("ec"), "old", 1)
files.write_file(folder / "expired-ca.crt", old.public_bytes(encoding), 0o644)
same = build.build_ca(ca_key, "MCP plugin CA", 1)
files.write_file(folder / "same-ca-expired.crt", same.public_bytes(encoding), 0o644)
