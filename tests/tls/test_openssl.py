"""The openssl program judges the certificates, and the servers' protocol versions."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, run
from tests.support.waiting import wait_until

from .tools import RIGHT, SCHEMES, SERVER, TRANSPORTS


def openssl(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        errors="replace",
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture(scope="module", params=["ec", "rsa"])
def made(request: pytest.FixtureRequest, plugin: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    done = run(plugin, "certs", "all", "--dir", str(folder), "--key-type", request.param, "--host", "10.1.2.3")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize(
    ("certificate", "purpose", "accepted"),
    [
        ("ca/ca", "sslserver", False),
        ("ca/ca", "sslclient", False),
        (RIGHT, "sslclient", True),
        (RIGHT, "sslserver", False),
        (SERVER, "sslserver", True),
        (SERVER, "sslclient", False),
    ],
)
def test_purposes(made: Path, certificate: str, purpose: str, accepted: bool) -> None:
    authority = str(made / "ca" / "ca.crt")
    done = openssl(
        "verify", "-x509_strict", "-purpose", purpose, "-CAfile", authority, str(made / f"{certificate}.crt")
    )
    assert (done.returncode == 0) is accepted, done.stdout + done.stderr


def test_authority(made: Path) -> None:
    authority = str(made / "ca" / "ca.crt")
    done = openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", authority, authority)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("option", "host", "accepted"),
    [
        ("-verify_hostname", "localhost", True),
        ("-verify_hostname", "pii-guard", True),
        ("-verify_hostname", "elsewhere.example", False),
        ("-verify_ip", "127.0.0.1", True),
        ("-verify_ip", "::1", True),
        ("-verify_ip", "10.1.2.3", True),
        ("-verify_ip", "10.1.2.4", False),
    ],
)
def test_hosts(made: Path, option: str, host: str, accepted: bool) -> None:
    authority = str(made / "ca" / "ca.crt")
    done = openssl("verify", "-x509_strict", option, host, "-CAfile", authority, str(made / f"{SERVER}.crt"))
    assert (done.returncode == 0) is accepted, done.stdout + done.stderr


def test_extensions(made: Path) -> None:
    expected = {
        "ca/ca": ["CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign"],
        RIGHT: ["CA:FALSE", "Digital Signature", "TLS Web Client Authentication", "DNS:mcp-gateway"],
        SERVER: ["CA:FALSE", "Digital Signature", "TLS Web Server Authentication", "IP Address:127.0.0.1"],
    }
    for name, parts in expected.items():
        text = openssl("x509", "-in", str(made / f"{name}.crt"), "-noout", "-text").stdout
        assert "Version: 3 (0x2)" in text
        for part in [*parts, "X509v3 Subject Key Identifier", "X509v3 Authority Key Identifier"]:
            assert part in text, (name, part)
        algorithm = "prime256v1" if "id-ecPublicKey" in text else "(4096 bit)"
        assert algorithm in text


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("version", "accepted"), [("1_1", False), ("1_2", True), ("1_3", True)])
def test_versions(server: Served, certs: Path, transport: str, version: str, accepted: bool) -> None:
    place = urlsplit(server.endpoints[SCHEMES[transport]]).netloc
    pair = ["-cert", str(certs / f"{RIGHT}.crt"), "-key", str(certs / f"{RIGHT}.key")]
    # Without SECLEVEL=0 this openssl itself would refuse TLS 1.1, and prove nothing about the server.
    ciphers = [] if version == "1_3" else ["-cipher", "ALL:@SECLEVEL=0"]
    trust = ["-CAfile", str(certs / "ca" / "ca.crt"), "-x509_strict", "-verify_return_error"]
    alpn = ["-alpn", "h2" if transport == "grpc" else "http/1.1"]
    before = len(server.log)
    done = openssl("s_client", "-connect", place, f"-tls{version}", *ciphers, *trust, *pair, *alpn)
    output = done.stdout + done.stderr
    assert (done.returncode == 0) is accepted, output
    if accepted:
        assert "Verify return code: 0 (ok)" in output
        assert re.search(r"^New, TLSv1\.[23], Cipher is \w", output, re.MULTILINE)
    else:
        wait_until(
            lambda: any("UNSUPPORTED_PROTOCOL" in line for line in server.log[before:]),
            otherwise=lambda: "".join(server.log[before:]),
        )
