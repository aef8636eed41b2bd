"""Applications made with Starlette, on our engine and on uvicorn, asked by httpx."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.responses import StreamingResponse as Streaming
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .servers import ENGINES, LIMIT, connected, serving

pytestmark = pytest.mark.asyncio

CONTENT = bytes(range(256)) * 4000


class App:
    """An application with one route for each part of Starlette that leans on the server."""

    def __init__(self, folder: Path, *middleware: Middleware) -> None:
        self.file = folder / "file.bin"
        if not self.file.exists():
            self.file.write_bytes(CONTENT)
        self.events: asyncio.Queue[str] = asyncio.Queue()
        self.go_on = asyncio.Event()
        routes = [
            Route("/plain", self.plain, methods=["GET", "POST"]),
            Route("/json", self.json, methods=["POST"]),
            Route("/upload", self.upload, methods=["PUT"]),
            Route("/stream", self.stream),
            Route("/endless", self.endless),
            Route("/file", self.send_file),
            Route("/background", self.background),
            Route("/redirect", self.redirect),
            Route("/raises", self.raises),
            Route("/raises-late", self.raises_late),
            Route("/none", self.none),
            Route("/state", self.state),
            Mount("/static", StaticFiles(directory=folder)),
        ]
        self.asgi = Starlette(routes=routes, middleware=middleware, lifespan=self.lifespan)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[dict[str, Any]]:
        yield {"answer": 42}
        self.events.put_nowait("shut down")

    async def plain(self, request: Request) -> Response:
        client = request.client
        return PlainTextResponse(f"{request.method} {request.url} {client and client.host} {await request.body()!r}")

    async def json(self, request: Request) -> Response:
        return JSONResponse({"got": await request.json(), "query": dict(request.query_params)}, status_code=201)

    async def upload(self, request: Request) -> Response:
        digest, size = hashlib.sha256(), 0
        try:
            async for piece in request.stream():
                digest.update(piece)
                size += len(piece)
        except ClientDisconnect:
            self.events.put_nowait("left while uploading")
            raise
        return JSONResponse({"size": size, "digest": digest.hexdigest()})

    async def stream(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for number in range(100):
                yield b"%d\n" % number

        return Streaming(pieces(), media_type="text/plain")

    async def endless(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"data: x\n\n"
                    await asyncio.sleep(0)
            finally:
                self.events.put_nowait("left")

        return Streaming(pieces(), media_type="text/event-stream")

    async def send_file(self, request: Request) -> Response:
        return FileResponse(self.file)

    async def background(self, request: Request) -> Response:
        async def work() -> None:
            await self.go_on.wait()
            self.events.put_nowait("done")

        return PlainTextResponse("accepted", background=BackgroundTask(work))

    async def redirect(self, request: Request) -> Response:
        return RedirectResponse("/plain?redirected")

    async def raises(self, request: Request) -> Response:
        raise RuntimeError("broken")

    async def raises_late(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"begun"
            raise RuntimeError("broken")

        return Streaming(pieces())

    async def none(self, request: Request) -> Response:
        return Response(status_code=204)

    async def state(self, request: Request) -> Response:
        seen = request.state.answer
        request.state.answer = "changed"
        return PlainTextResponse(str(seen))


@asynccontextmanager
async def asked(app: App, engine: str) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(app.asgi, engine) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LIMIT, trust_env=False) as client,
    ):
        yield client


def essence(response: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    port = str(response.request.url.port).encode()
    left_out = ("date", "content-length", "transfer-encoding")
    headers = sorted(item for item in response.headers.items() if item[0] not in left_out)
    return response.status_code, headers, response.content.replace(port, b"PORT")


REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/plain?a=%20b", {}),
    ("HEAD", "/plain", {}),
    ("POST", "/plain", {"content": b"body"}),
    ("GET", "/plain", {"headers": {"connection": "close"}}),
    ("DELETE", "/plain", {}),
    ("POST", "/json?a=b&a=c", {"json": {"x": [1, 2, {"y": None}]}}),
    ("PUT", "/upload", {"content": CONTENT}),
    ("GET", "/stream", {}),
    ("HEAD", "/stream", {}),
    ("GET", "/file", {}),
    ("HEAD", "/file", {}),
    ("GET", "/file", {"headers": {"range": "bytes=10-19"}}),
    ("GET", "/file", {"headers": {"range": "bytes=0-1,5-6"}}),
    ("GET", "/static/file.bin", {}),
    ("GET", "/static/../secret", {}),
    ("GET", "/redirect", {}),
    ("GET", "/raises", {}),
    ("GET", "/none", {}),
    ("GET", "/state", {}),
    ("GET", "/nowhere", {}),
]


@pytest.mark.parametrize("middleware", ["none", "gzip", "base"])
async def test_requests(tmp_path: Path, middleware: str) -> None:
    async def dispatch(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["x-seen"] = request.url.path
        return response

    chosen = {
        "none": [],
        "gzip": [Middleware(GZipMiddleware, minimum_size=10)],
        "base": [Middleware(BaseHTTPMiddleware, dispatch=dispatch)],
    }[middleware]
    found = []
    for engine in ENGINES:
        async with asked(App(tmp_path, *chosen), engine) as client:
            # On one connection, twice: what one response leaves behind shows in the next.
            responses = [await client.request(m, path, **more) for m, path, more in [*REQUESTS, *REQUESTS]]
        found.append([essence(response) for response in responses])
    for number, (ours, theirs) in enumerate(zip(*found, strict=True)):
        if ours[1] != theirs[1] and "boundary" in str(ours[1]):
            continue  # the boundary of several ranges is a new one each time
        assert ours == theirs, REQUESTS[number % len(REQUESTS)]


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_upload_in_pieces(tmp_path: Path, engine: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(CONTENT), 1000):
            yield CONTENT[start : start + 1000]

    async with asked(App(tmp_path), engine) as client:
        response = await client.put("/upload", content=pieces())
    assert response.json() == {"size": len(CONTENT), "digest": hashlib.sha256(CONTENT).hexdigest()}


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_stream_that_breaks_off_is_not_taken_for_a_whole_one(tmp_path: Path, engine: str) -> None:
    async with asked(App(tmp_path), engine) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/raises-late")


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_background_task_runs_on_after_the_response(tmp_path: Path, engine: str) -> None:
    app = App(tmp_path)
    async with asked(app, engine) as client:
        assert (await client.get("/background")).text == "accepted"
        # The connection takes the next request meanwhile.
        assert (await client.get("/none")).status_code == 204
        assert app.events.empty()
        app.go_on.set()
        assert await app.events.get() == "done"
    assert await app.events.get() == "shut down"


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_stream_whose_client_leaves_is_ended(tmp_path: Path, engine: str) -> None:
    app = App(tmp_path)
    async with asked(app, engine) as client:
        async with client.stream("GET", "/endless") as response:
            async for line in response.aiter_lines():
                assert line == "data: x"
                break
        async with asyncio.timeout(LIMIT):
            assert await app.events.get() == "left"


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_upload_whose_client_leaves_is_ended(tmp_path: Path, engine: str) -> None:
    app = App(tmp_path)
    async with serving(app.asgi, engine) as port, connected(port) as client:
        client.send(b"PUT /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf")
        await client.writer.drain()
        client.writer.close()
        async with asyncio.timeout(LIMIT):
            assert await app.events.get() == "left while uploading"
