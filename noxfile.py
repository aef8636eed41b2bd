"""Everything that is checked here: `nox` runs the default sessions, `nox --list` shows them all."""

from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "proto", "tests"]

PROJECT = nox.project.load_toml("pyproject.toml")
# The runtime is a distribution of its own; in a checkout it is imported from where it stands.
DEPENDENCIES = [*PROJECT["project"]["dependencies"], "-e", "./runtime"]
TEST_DEPENDENCIES = [*DEPENDENCIES, *nox.project.dependency_groups(PROJECT, "test")]
# A worker that has nothing left to do takes over a part of what is left to another; tests/conftest.py says how many.
PYTEST = ["pytest", "--numprocesses", "auto", "--dist", "worksteal"]
TYPED = ["generator", "runtime", "tests", "benchmarks", "noxfile.py"]


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting, types and the runtime's layers, and that all generated files are those of proto/."""
    session.notify("stubs", ["--check"])
    session.install(*TEST_DEPENDENCIES)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy", *TYPED)
    session.run("lint-imports")


@nox.session
def proto(session: nox.Session) -> None:
    """Check the contract: buf's style, and nothing that would break a peer of the last release."""
    session.install(*nox.project.dependency_groups(PROJECT, "stubs"))
    session.run("buf", "lint", "proto")
    session.run("buf", "breaking", "proto", "--against", "tests/stubs/released")


@nox.session
def stubs(session: nox.Session) -> None:
    """Regenerate what is made from proto/; `-- --check` writes nothing and fails when something would change."""
    session.install(*DEPENDENCIES)
    session.run("python", "-m", "generator", "contract", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, less those that have a session of their own; `-- FOLDER` for some of them."""
    session.install(*TEST_DEPENDENCIES)
    session.run(*PYTEST, *session.posargs)


@nox.session
def full(session: nox.Session) -> None:
    """Run the tests that take long: every kind of repository, lowest versions, older gateways (on demand; minutes)."""
    session.install(*TEST_DEPENDENCIES)
    session.run(*PYTEST, "-m", "full", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13"])
def stubs_cases(session: nox.Session) -> None:
    """Run the cases of the stub compiler on each Python (on demand)."""
    session.install(*TEST_DEPENDENCIES)
    session.run(*PYTEST, "tests/stubs", *session.posargs)


@nox.session
def stubs_trees(session: nox.Session) -> None:
    """Compile whole trees of other projects and import them, Google's APIs among them (on demand; minutes)."""
    session.install(*TEST_DEPENDENCIES)
    session.run("pytest", "tests/stubs/test_trees.py", "-m", "stubs_trees", *session.posargs)


@nox.session
def stubs_compare(session: nox.Session) -> None:
    """Write the table of docs/stubs.md, which holds the stubs against protoc's and protoletariat's (on demand)."""
    session.install(*TEST_DEPENDENCIES)
    session.run("python", "-m", "tests.stubs.compare")


@nox.session
def gateways(session: nox.Session) -> None:
    """Call a plugin with the clients of every gateway and write docs/compatibility.md (on demand; a minute)."""
    session.install(*TEST_DEPENDENCIES)
    session.run("python", "-m", "tests.gateway.compatibility", *session.posargs)


@nox.session
def gateway_e2e(session: nox.Session) -> None:
    """Start the real gateways 1.1.0 and 1.0.0 with a plugin on every transport (on demand; ten minutes)."""
    session.install(*TEST_DEPENDENCIES)
    session.run("python", "-m", "tests.gateway_e2e", *session.posargs)


@nox.session
def release(session: nox.Session) -> None:
    """Check what is to be released: changelog, update from the last tag, distributions, all gateways (on demand)."""
    session.install(*TEST_DEPENDENCIES, "build", "twine")
    session.run("pytest", "-m", "release")
    session.run("python", "-m", "build", "--outdir", out := session.create_tmp(), ".")
    session.run("twine", "check", "--strict", *(str(path) for path in Path(out).glob("plugsmith-*")))
    for name in ("full", "gateways", "gateway_e2e"):
        session.notify(name)


@nox.session
def bench(session: nox.Session) -> None:
    """Hold a plugin against cpex's servers, with wrk and h2load from Debian (on demand); `-- --quick` for ratios."""
    session.install(*TEST_DEPENDENCIES, *nox.project.dependency_groups(PROJECT, "bench"))
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def startup(session: nox.Session) -> None:
    """Print the seconds from start to first answer for each transport (on demand); `-- --runs N`."""
    session.install(*TEST_DEPENDENCIES)
    session.run("python", "-m", "benchmarks.startup", *session.posargs)
