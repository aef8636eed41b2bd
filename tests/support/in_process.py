"""A plugin's server in a thread of the test's process, for tests that judge its answers and not the process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from plugsmith_runtime.host.config import ConfigFile, load_config_file
from plugsmith_runtime.host.loader import add_plugin_dirs
from plugsmith_runtime.observability.logging import TextFormatter
from plugsmith_runtime.plugin_server.options import add_server_options, run_event_loop
from plugsmith_runtime.plugin_server.readiness import ServerReady
from plugsmith_runtime.plugin_server.server import Server
from plugsmith_runtime.plugin_server.settings import ServerSettings, resolve_settings

from .serving import START_LIMIT, RunningServer, by_scheme, listening

PACKAGE = "plugsmith_runtime"


@contextmanager
def serve_in_process(config: Path, transports: str, *options: str, **extra: str) -> Iterator[RunningServer]:
    """Serve the plugins of a configuration file on free ports and sockets; drains the server at the end.

    The runtime is that of the checkout, in place: the plugins import it as `plugsmith_runtime`.

    Args:
        config: the configuration file.
        transports: transports, separated by commas.
        options: options of `serve`; they win over the free ports and sockets.
        extra: environment variables of the server, which has no others.
    """
    parser = argparse.ArgumentParser()
    add_server_options(parser)
    with tempfile.TemporaryDirectory(prefix="ps-") as folder, _importable(config) as file:
        arguments = parser.parse_args(["--transport", transports, *listening(folder), *options])
        settings = resolve_settings(vars(arguments), file, extra, package=PACKAGE)
        with _captured_log() as log, _running(file, settings) as ready:
            yield RunningServer(endpoints=by_scheme(ready), log=log)


@contextmanager
def _importable(config: Path) -> Iterator[ConfigFile]:
    """Read a configuration file; its plugins can be imported inside the block."""
    file, before = load_config_file(config), list(sys.path)
    add_plugin_dirs(file.plugin_dirs, config.parent)
    try:
        yield file
    finally:
        sys.path[:] = before


@contextmanager
def _captured_log() -> Iterator[list[str]]:
    """The lines that the runtime logs inside the block, as a server's process would write them."""
    log: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(TextFormatter(exception_texts=False, hint="exception texts are left out"))
    handler.emit = lambda record: log.append(f"{handler.format(record)}\n")  # type: ignore[method-assign]
    logger = logging.getLogger(PACKAGE)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield log
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def _running(file: ConfigFile, settings: ServerSettings) -> Iterator[ServerReady]:
    """Run a server on an event loop of its own thread until the block ends."""
    ready: Future[ServerReady] = Future()
    stop: Future[None] = Future()

    async def serve() -> None:
        server = Server(file.plugins, settings, ready.set_result)
        loop = asyncio.get_running_loop()
        stop.add_done_callback(lambda _: loop.call_soon_threadsafe(server.stop))
        await server.run()

    def run() -> None:
        try:
            run_event_loop(serve)
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run, name="server")
    thread.start()
    try:
        yield ready.result(START_LIMIT)
    finally:
        stop.set_result(None)
        thread.join(START_LIMIT)
        assert not thread.is_alive(), "the server did not stop"
