"""Where the contract and the template are: beside this package in a checkout, inside it when installed."""

from pathlib import Path

from .errors import PlugsmithError

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "data"


def is_checkout(folder: Path) -> bool:
    """Returns whether a folder is the root of a checkout of plugsmith."""
    return (folder / "copier.yml").is_file() and (folder / "proto").is_dir() and (folder / "template").is_dir()


def source_root() -> Path:
    """Returns the folder that holds copier.yml, template/ and proto/.

    Raises:
        PlugsmithError: neither a checkout nor a complete installation.
    """
    for folder in (_PACKAGE.parent, _INSTALLED):
        if is_checkout(folder):
            return folder
    raise PlugsmithError(f"{_PACKAGE}: copier.yml, template/ and proto/ are missing; install plugsmith again")


def checkout_root(given: str | None) -> Path:
    """Returns the checkout whose generated files are meant.

    Args:
        given: what the caller named; None for the checkout that this package is part of.

    Raises:
        PlugsmithError: the folder is no checkout.
    """
    folder = Path(given) if given else _PACKAGE.parent
    if not is_checkout(folder):
        raise PlugsmithError(f"{folder}: this is no checkout of plugsmith; name one with --root")
    return folder
