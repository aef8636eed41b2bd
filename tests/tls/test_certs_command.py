"""The command `certs`: what it makes, keeps, renews, refuses and finds."""

from __future__ import annotations

import re
import shutil
import stat
from pathlib import Path

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import run

FILES = {
    "ca/ca.key": 0o600,
    "ca/ca.crt": 0o644,
    "gateway/client.key": 0o600,
    "gateway/client.crt": 0o644,
    "gateway/ca.crt": 0o644,
    "plugins/guard/server.key": 0o600,
    "plugins/guard/server.crt": 0o644,
    "plugins/guard/ca.crt": 0o644,
}


class Certs:
    """Runs the command on a folder."""

    def __init__(self, plugin: RenderedPlugin, folder: Path) -> None:
        self._plugin = plugin
        self.folder = folder

    def __call__(self, target: str, *options: str, code: int = 0, **environ: str) -> str:
        done = run(self._plugin, "certs", target, "--dir", str(self.folder), *options, **environ)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code == 2 else done.stdout

    def all(self, *options: str, **environ: str) -> str:
        return self("all", "--name", "guard", *options, code=0, **environ)

    def actions(self, output: str) -> list[str]:
        return [line.split()[0] for line in output.splitlines()]

    def content(self) -> dict[str, bytes]:
        return {name: (self.folder / name).read_bytes() for name in FILES}


@pytest.fixture
def command(plugin: RenderedPlugin, tmp_path: Path) -> Certs:
    return Certs(plugin, tmp_path / "mcp")


def test_files_and_modes(command: Certs) -> None:
    assert command.actions(command.all()) == ["made", "made", "made"]
    modes = {
        str(path.relative_to(command.folder)): stat.S_IMODE(path.stat().st_mode)
        for path in command.folder.rglob("*")
        if path.is_file()
    }
    assert modes == FILES | {".gitignore": 0o644}
    for name in FILES:
        head = (command.folder / name).read_text().splitlines()[0]
        assert head == ("-----BEGIN PRIVATE KEY-----" if name.endswith(".key") else "-----BEGIN CERTIFICATE-----")
    assert len({(command.folder / name).read_bytes() for name in FILES if name.endswith("ca.crt")}) == 1


def test_what_is_good_is_kept(command: Certs) -> None:
    command.all()
    before = command.content()
    assert command.actions(command.all()) == ["kept", "kept", "kept"]
    assert command.content() == before
    assert command.actions(command("gateway", "--force")) == ["kept", "renewed"]
    after = command.content()
    assert {name for name in FILES if after[name] != before[name]} == {"gateway/client.key", "gateway/client.crt"}
    assert command.actions(command.all("--force")) == ["renewed", "renewed", "renewed"]


def test_expired_pairs_are_renewed(command: Certs, certs: Path) -> None:
    command.all()
    for suffix in ("crt", "key"):
        shutil.copy(certs / f"ca/ca.{suffix}", command.folder / f"ca/ca.{suffix}")
        shutil.copy(certs / f"client-expired.{suffix}", command.folder / f"gateway/client.{suffix}")
    command("plugin", "--name", "guard")
    table = command("check", code=1)
    assert re.search(r"^gateway/client.crt .* expired; ca.crt beside it: not the present CA$", table, re.MULTILINE)
    output = command.all()
    assert command.actions(output) == ["kept", "renewed", "kept"]
    assert "(expired)" in output
    command("check")


def test_a_renewed_authority_keeps_its_key(command: Certs, certs: Path) -> None:
    """Leaf certificates stay valid, and whoever trusts the former certificate accepts what the new one signs."""
    command.all()
    shutil.copytree(certs / "ca", command.folder / "ca", dirs_exist_ok=True)
    command.all()
    key = (command.folder / "ca/ca.key").read_bytes()
    shutil.copy(certs / "same-ca-expired.crt", command.folder / "ca/ca.crt")
    assert "expired" in command("check", code=1)
    output = command.all()
    assert command.actions(output) == ["renewed", "kept", "kept"]
    assert (command.folder / "ca/ca.key").read_bytes() == key
    command("check")


def test_soon_is_what_one_asks_for(command: Certs) -> None:
    command.all("--days", "60")
    assert command("check").count("ok") == 3
    assert command("check", "--days", "61", code=1).count("expires soon") == 2


def test_another_authority(command: Certs, tmp_path: Path) -> None:
    command.all("--host", "extra.example", "--host", "10.1.2.3")
    command("ca", "--force")
    table = command("check", code=1)
    assert table.count("not signed by the present CA; ca.crt beside it: not the present CA") == 2
    output = command.all()
    assert command.actions(output) == ["kept", "renewed", "renewed"]
    assert output.count("(not signed by the present CA)") == 2
    table = command("check")
    assert "extra.example,10.1.2.3" in table, "a renewal lost hosts that somebody had asked for"


def test_check_finds(command: Certs) -> None:
    command.all()
    table = command("check")
    assert [line.split()[0] for line in table.splitlines()] == [
        "file",
        "ca/ca.crt",
        "gateway/client.crt",
        "plugins/guard/server.crt",
    ]
    assert "mcp-plugin-guard,guard,localhost,127.0.0.1,::1" in table
    shutil.copy(command.folder / "gateway/client.key", command.folder / "plugins/guard/server.key")
    assert "key does not match" in command("check", code=1)
    shutil.copy(command.folder / "gateway/client.crt", command.folder / "plugins/guard/server.crt")
    assert "not for a server" in command("check", code=1)
    (command.folder / "plugins/guard/server.crt").write_text("nonsense")
    assert "certificate: damaged" in command("check", code=1)
    assert command.actions(command.all()) == ["kept", "kept", "renewed"]
    (command.folder / "gateway/client.key").chmod(0o640)
    assert "key open to other users" in command("check", code=1)
    command("gateway")
    command("check")


def test_check_of_nothing(command: Certs) -> None:
    assert command("check", code=1) == ""


def test_lifetimes(command: Certs) -> None:
    command.all(MCP_CERT_DAYS="90")
    days = [line.split()[-2] for line in command("check").splitlines()[1:]]
    assert days == ["3650", "90", "90"]
    for text in (
        command("gateway", "--days", "826", code=2),
        command("gateway", "--days", "0", code=2),
        command("gateway", code=2, MCP_CERT_DAYS="900"),
    ):
        assert "set it to a number of days from 1 to 825" in text
    assert "MCP_CERT_DAYS is 'x'" in command("gateway", code=2, MCP_CERT_DAYS="x")


def test_no_leaf_outlives_its_authority(command: Certs) -> None:
    command("ca", "--days", "100")
    command.all()
    days = [line.split()[-2] for line in command("check").splitlines()[1:]]
    assert days == ["100", "100", "100"]


def test_passphrases(command: Certs, tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("ca secret\n")
    options = ["--ca-passphrase-file", str(tmp_path / "ca"), "--passphrase-env", "LEAF"]
    command.all(*options, LEAF="leaf secret")
    for name in ("ca/ca.key", "plugins/guard/server.key"):
        assert (command.folder / name).read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert command("check", *options, LEAF="leaf secret").count("ok") == 3
    assert command("check").count("key encrypted, not compared") == 3
    assert "key: wrong passphrase, or damaged" in command("check", *options, LEAF="other", code=1)
    text = command("plugin", "--name", "second", code=2)
    assert "ca.key is encrypted: give its passphrase with --ca-passphrase-file or -env" in text
    assert "the passphrase in LEAF is empty" in command("gateway", *options, code=2, LEAF="")


def test_an_authority_kept_elsewhere(command: Certs) -> None:
    command.all()
    (command.folder / "ca/ca.key").unlink()
    assert "key kept elsewhere" in command("check")
    assert command.actions(command.all()) == ["kept", "kept", "kept"]
    text = command("plugin", "--name", "second", code=2)
    assert "ca.key: no such file or directory: a certificate can be signed only with the authority's key" in text


def test_refused_names(command: Certs) -> None:
    for host in ("https://a.example", "a.example:8000", "a b", "10.0.0", ""):
        assert f"host {host!r}: give a DNS name or an IP address" in command("plugin", "--host", host, code=2)
    for name in ("../up", "a/b", ""):
        assert "use letters, digits" in command("plugin", f"--name={name}", code=2)
    assert not command.folder.exists()
    command.all()
    text = command("plugin", "--name", "guard", "--host", "new.example", code=2)
    assert "server.crt is valid but lacks new.example: use --force to replace it" in text


def test_without_cryptography(plugin: RenderedPlugin, rendered: RenderedPlugin) -> None:
    bare = RenderedPlugin(plugin.root, plugin.package, rendered.python)
    done = run(bare, "certs", "all")
    assert done.returncode == 2
    assert done.stderr == "error: the certs command needs the package cryptography: install the extra 'certs'\n"
