"""The metric that warns of certificates that are about to expire: it follows the files, as the servers do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from cryptography import x509

from tests.observability.scraping import Metrics
from tests.support.rendering import RenderedPlugin
from tests.support.serving import run, serve
from tests.support.waiting import wait_until

from .tools import SERVER, TRANSPORTS, tls_environ

NAME = "plugin_certificate_expiry_timestamp_seconds"


def expiry(certificate: Path) -> float:
    """The Unix time at which a certificate expires."""
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc.timestamp()


def test_it_is_that_of_the_files(plugin: RenderedPlugin, certs: Path, tmp_path: Path) -> None:
    own = shutil.copytree(certs, tmp_path / "certs")
    served_file = own / f"{SERVER}.crt"
    environ = tls_environ(own) | {"PLUGINS_ADMIN_PORT": "0"}
    with serve(plugin, "http,grpc", "--grpc-uds", "", "--tls", **environ) as served:
        for transport in TRANSPORTS:
            assert Metrics(served).value(NAME, transport=transport) == expiry(served_file)
        # A file that is broken is not served: the former certificate is, and so its end counts.
        before = expiry(served_file)
        shutil.copy(served_file, tmp_path / "kept.crt")
        served_file.write_text("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")
        assert Metrics(served).value(NAME, transport="http") == before
        os.replace(tmp_path / "kept.crt", served_file)
        name = SERVER.split("/")[1]
        done = run(plugin, "certs", "plugin", "--name", name, "--dir", str(own), "--force", "--days", "40")
        assert done.returncode == 0, done.stderr
        assert expiry(served_file) != before
        wait_until(lambda: Metrics(served).value(NAME, transport="http") == expiry(served_file))
        assert Metrics(served).value(NAME, transport="grpc") == expiry(served_file)
