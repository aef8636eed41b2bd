"""Command line options of the server's settings, and what they lead to: logging, configuration, event loop."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from ..host.config import ConfigFile, load_config_file
from ..observability.logging import log_loop_exception, set_up_logging, show_exception_texts
from ..settings.table import add_options
from .setting_table import CONFIG_PATH, LOG_FORMAT, LOG_LEVEL, SETTINGS
from .settings import ServerSettings, find_config_path, resolve_settings

T = TypeVar("T")


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which configuration counts."""
    parser.add_argument("--config", metavar="FILE", help=f"{CONFIG_PATH.help} [{CONFIG_PATH.env[0]}]")
    parser.add_argument("--log-level", metavar="LEVEL", help=f"{LOG_LEVEL.help} [{LOG_LEVEL.env[0]}]")
    parser.add_argument("--log-format", metavar="FORMAT", help=f"{LOG_FORMAT.help} [{LOG_FORMAT.env[0]}]")


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for every setting that has one."""
    add_config_options(parser)
    add_options(parser, SETTINGS)
    parser.add_argument("--tls", action="store_true", help="serve with TLS; the files come from the environment")


def load(arguments: argparse.Namespace) -> tuple[Path, ConfigFile, ServerSettings]:
    """Set logging up and read the configuration.

    Args:
        arguments: what argparse found.

    Returns:
        The configuration file's path, its content, and the settings.

    Raises:
        StartError: something in it must be put right.
    """
    set_up_logging(
        arguments.log_level or os.environ.get(LOG_LEVEL.env[0]) or LOG_LEVEL.default,
        arguments.log_format or os.environ.get(LOG_FORMAT.env[0]) or LOG_FORMAT.default,
        level_setting=f"{LOG_LEVEL.env[0]} (--log-level)",
        format_setting=f"{LOG_FORMAT.env[0]} (--log-format)",
        exception_texts_setting=f"{LOG_LEVEL.env[0]}=DEBUG",
    )
    path = find_config_path(arguments.config, os.environ, arguments.package)
    file = load_config_file(path)
    settings = resolve_settings(vars(arguments), file, package=arguments.package)
    if settings.dev:
        show_exception_texts()
    return path, file, settings


def run_event_loop(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on the fastest event loop that is installed.

    Args:
        main: makes the coroutine.
    """
    try:
        import uvloop

        factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.get_loop().set_exception_handler(log_loop_exception)
        return runner.run(main())
