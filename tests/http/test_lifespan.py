"""The lifespan of applications, and the graceful end of the server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from plugsmith_runtime.http.lifespan import Lifespan, LifespanError
from plugsmith_runtime.http.responses import Receive, Scope, Send

from . import apps
from .servers import connected, serving

pytestmark = pytest.mark.asyncio

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"


class Recorder:
    """An application that takes part in the lifespan, and fails where it is told to."""

    def __init__(self, fail: str = "", how: str = "failed") -> None:
        self._fail = fail
        self._how = how
        self.events: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.events.append(f"request {scope['state']['shared']}")
            scope["state"]["shared"] = "changed by a request"
            await apps.echo(scope, receive, send)
            return
        assert (scope["type"], scope["asgi"]["version"]) == ("lifespan", "3.0")
        scope["state"]["shared"] = "from startup"
        for phase in ("startup", "shutdown"):
            assert (await receive()) == {"type": f"lifespan.{phase}"}
            self.events.append(phase)
            if phase != self._fail:
                await send({"type": f"lifespan.{phase}.complete"})
            elif self._how == "failed":
                await send({"type": f"lifespan.{phase}.failed", "message": "no database"})
            else:
                raise RuntimeError("no database")


async def test_startup_comes_before_requests_and_shutdown_after_them() -> None:
    app = Recorder()
    async with serving(app) as port:
        assert app.events == ["startup"]
        async with connected(port) as client:
            client.send(GET + GET)
            for _ in range(2):
                assert (await client.response()).status == 200
    # What one request does to the state is not seen by the next.
    assert app.events == ["startup", *["request from startup"] * 2, "shutdown"]


@pytest.mark.parametrize(
    ("how", "mode", "message"),
    [
        ("failed", "auto", "the application failed at startup: no database"),
        ("failed", "on", "the application failed at startup: no database"),
        ("raises", "on", "the application failed at startup: RuntimeError('no database')"),
    ],
)
async def test_a_startup_that_fails(how: str, mode: Any, message: str) -> None:
    with pytest.raises(LifespanError) as caught:
        async with serving(Recorder("startup", how), lifespan=mode):
            pytest.fail("the server started")
    assert str(caught.value) == message


@pytest.mark.parametrize("how", ["failed", "raises"])
async def test_a_shutdown_that_fails(how: str) -> None:
    with pytest.raises(LifespanError, match=r"the application failed at shutdown: .*no database"):
        async with serving(Recorder("shutdown", how)):
            pass


async def test_an_application_without_lifespan() -> None:
    # It raises at the scope that it does not know; more a server cannot learn.
    async with serving(apps.echo) as port, connected(port) as client:
        client.send(GET)
        assert (await client.response()).status == 200
    with pytest.raises(LifespanError):
        await Lifespan(apps.echo, "on").startup()


async def test_an_application_that_is_not_asked() -> None:
    app = Recorder()
    async with serving(app, lifespan="off"):
        pass
    assert app.events == []


class Slow:
    """An application that answers when it is let."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        try:
            await apps.start(send)
            await apps.write(send, b"begun ", True)
            self.reached.set()
            await self.go_on.wait()
            await apps.write(send, b"done")
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def test_requests_in_flight_are_answered_before_the_server_ends() -> None:
    app = Slow()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(AsyncExitStack())
        port = await server.enter_async_context(serving(app))
        idle = await stack.enter_async_context(connected(port))
        client = await stack.enter_async_context(connected(port))
        client.send(GET)
        await app.reached.wait()
        stopping = asyncio.create_task(server.aclose())
        # The idle connection ends at once, the other with its response.
        assert await idle.closed()
        app.go_on.set()
        assert (await client.response()).body == b"begun done"
        assert await client.closed()
        await stopping
    assert not app.cancelled


async def test_requests_that_do_not_end_are_given_up_after_the_grace() -> None:
    app = Slow()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(AsyncExitStack())
        port = await server.enter_async_context(serving(app, grace=0.1))
        client = await stack.enter_async_context(connected(port))
        client.send(GET)
        await app.reached.wait()
        await server.aclose()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.response()
    assert app.cancelled


async def test_a_request_that_is_arriving_is_answered_before_the_server_ends() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(AsyncExitStack())
        port = await server.enter_async_context(serving(apps.echo_while_reading))
        client = await stack.enter_async_context(connected(port))
        client.send(POST + b"ab")
        await client.reader.readuntil(b"ab\r\n")
        stopping = asyncio.create_task(server.aclose())
        client.send(b"cd")
        assert (await client.reader.read()).startswith(b"2\r\ncd\r\n0\r\n\r\n")
        await stopping
