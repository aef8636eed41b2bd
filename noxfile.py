"""Everything that is checked here: `nox` runs the default sessions, `nox --list` shows them all."""

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests"]

PROJECT = nox.project.load_toml("pyproject.toml")
DEPENDENCIES = PROJECT["project"]["dependencies"]
TYPED = ["generator", "tests", "noxfile.py"]


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting and types, and that all generated files are those of proto/."""
    session.notify("stubs", ["--check"])
    session.install(*DEPENDENCIES, *nox.project.dependency_groups(PROJECT, "test"), "nox")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy", *TYPED)


@nox.session
def stubs(session: nox.Session) -> None:
    """Regenerate what is made from proto/; `-- --check` writes nothing and fails when something would change."""
    session.install(*DEPENDENCIES)
    session.run("python", "-m", "generator", "contract", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests."""
    session.install(*DEPENDENCIES, *nox.project.dependency_groups(PROJECT, "test"))
    session.run("pytest", *session.posargs)
