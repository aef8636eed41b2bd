"""The runtime's client of the Unix socket: many calls at once, servers that go away, and servers of version 1."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, Served, serve

from .cpex_server import OLD, CpexServer, serve_cpex

LIMIT = 30.0


@pytest.fixture(scope="module")
def cpex_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CpexServer]:
    """The server of cpex 0.1.4, which knows version 1 only."""
    with serve_cpex(tmp_path_factory.mktemp("peer")) as server:
        yield server


@pytest.fixture
def use(modules: Any) -> Callable[..., Any]:
    """Runs something with a client: use(endpoint, function, timeout=...)."""

    def run(endpoint: str, function: Callable[[Any], Awaitable[Any]], timeout: float = 10.0) -> Any:
        async def main() -> Any:
            async with connected(modules, endpoint, timeout) as client:
                return await function(client)

        return asyncio.run(asyncio.wait_for(main(), LIMIT))

    return run


@asynccontextmanager
async def connected(modules: Any, endpoint: str, timeout: float = 10.0) -> AsyncIterator[Any]:
    client = await modules("runtime.client").connect(endpoint, timeout=timeout)
    try:
        yield client
    finally:
        await client.close()


def call(client: Any, behaviour: str, **args: Any) -> Awaitable[Any]:
    made: Awaitable[Any] = client.invoke("tool_pre_invoke", "Probe", {"name": behaviour, "args": args}, None)
    return made


def args_of(reply: dict[str, Any]) -> Any:
    return reply["result"]["modified_payload"]["args"]


def test_a_thousand_calls_at_once_get_their_own_answers(use: Any, served: Served) -> None:
    async def many(client: Any) -> None:
        assert client.version == 2
        delays = [random.Random(20260105).choice([0, 0, 0.001, 0.01]) for _ in range(1000)]
        replies = await asyncio.gather(*(call(client, "sleep", seconds=d, n=n) for n, d in enumerate(delays)))
        assert [args_of(reply)["n"] for reply in replies] == list(range(1000))

    use(served.endpoints["unix"], many)


def test_calls_that_run_out_of_time_shift_no_answer(use: Any, served: Served) -> None:
    async def many(client: Any) -> None:
        async def one(n: int) -> None:
            if n % 3:
                assert args_of(await call(client, "echo", n=n))["n"] == n
            else:
                with pytest.raises(TimeoutError):
                    await call(client, "sleep", seconds=0.3 + n % 5 / 10, n=n)

        await asyncio.gather(*map(one, range(200)))
        for n in range(200):
            assert args_of(await call(client, "echo", n=n))["n"] == n

    use(served.endpoints["unix"], many, timeout=0.25)


def test_a_cancelled_call_stops_its_hook(use: Any, served: Served, short_path: Path) -> None:
    async def cancelled(client: Any) -> None:
        pipe = short_path / "pipe"
        subprocess.run(["mkfifo", pipe], check=True)
        running = asyncio.ensure_future(call(client, "until_cancelled", pipe=str(pipe)))
        said = await asyncio.to_thread(open, pipe)
        assert await asyncio.to_thread(said.read, 1) == "b"
        running.cancel()
        assert await asyncio.to_thread(said.read, 1) == "c"
        said.close()
        assert args_of(await call(client, "echo", n=1)) == {"n": 1}

    use(served.endpoints["unix"], cancelled)


def test_what_version_1_loses_arrives(use: Any, served: Served) -> None:
    shared = {"request_id": "r", "user_context": {"n": 2**60}, "content_type": "text/plain", "of_tomorrow": [None]}

    async def complete(client: Any) -> Any:
        return await client.invoke("tool_pre_invoke", "Probe", {"name": "seen", "args": {}}, {"global_context": shared})

    seen = args_of(use(served.endpoints["unix"], complete))["global_context"]
    assert {name: seen[name] for name in shared} == shared


def test_health_is_told(use: Any, served: Served) -> None:
    async def health(client: Any) -> list[bool | None]:
        return [await client.serving(), await client.serving("probe"), await client.serving("nobody")]

    assert use(served.endpoints["unix"], health) == [True, True, None]


def test_a_call_larger_than_the_server_reads_is_not_sent(use: Any, served: Served) -> None:
    async def large(client: Any) -> None:
        with pytest.raises(ValueError, match="the server reads at most 1000000"):
            await call(client, "echo", text="x" * 1_000_000)
        assert args_of(await call(client, "echo", n=1)) == {"n": 1}

    use(served.endpoints["unix"], large)


def test_a_killed_server_fails_calls_in_flight_and_the_next_call_finds_the_new_one(
    rendered: RenderedPlugin, config: Path, modules: Any, short_path: Path
) -> None:
    options = ("--config", str(config), "--socket", str(short_path / "u.sock"))
    not_sent = modules("runtime.client").RequestNotSentError

    async def main() -> None:
        with serve(rendered, "unix", *options) as first:
            client = await modules("runtime.client").connect(first.endpoints["unix"])
            running = [asyncio.ensure_future(call(client, "sleep", seconds=20)) for _ in range(10)]
            assert args_of(await call(client, "echo", n=1)) == {"n": 1}
            first.process.kill()
            for failed in await asyncio.gather(*running, return_exceptions=True):
                # The hooks may have run: nobody may take this for "not sent".
                assert isinstance(failed, ConnectionError)
                assert not isinstance(failed, not_sent)
            assert not client.usable
            first.process.wait(START_LIMIT)
            with pytest.raises(not_sent):
                await call(client, "echo", n=2)
        with serve(rendered, "unix", *options):
            assert args_of(await call(client, "echo", n=3)) == {"n": 3}
            assert client.usable
            await client.close()

    asyncio.run(asyncio.wait_for(main(), 2 * LIMIT))


def test_a_stopping_server_answers_what_it_took_and_no_call_is_lost(
    rendered: RenderedPlugin, config: Path, modules: Any, short_path: Path
) -> None:
    options = ("--config", str(config), "--socket", str(short_path / "u.sock"))

    async def main() -> None:
        with serve(rendered, "unix", *options) as first:
            client = await modules("runtime.client").connect(first.endpoints["unix"])
            running = [asyncio.ensure_future(call(client, "sleep", seconds=1, n=n)) for n in range(20)]
            assert args_of(await call(client, "echo", n=1)) == {"n": 1}
            first.process.send_signal(signal.SIGTERM)
            while client.usable:
                await asyncio.sleep(0.01)
            with serve(rendered, "unix", *options):
                assert args_of(await call(client, "echo", n=2)) == {"n": 2}
                assert [args_of(reply)["n"] for reply in await asyncio.gather(*running)] == list(range(20))
            await client.close()

    asyncio.run(asyncio.wait_for(main(), 2 * LIMIT))


def test_an_old_server_is_served_in_version_1(use: Any, cpex_server: CpexServer) -> None:
    async def old(client: Any) -> list[Any]:
        assert client.version == 1
        payload = {"name": "echo", "args": {"n": 1}}
        return [
            await client.plugin_configs(),
            await client.plugin_config("old"),
            await client.plugin_config("nobody"),
            await client.serving(),
            await client.invoke("tool_pre_invoke", OLD, payload, {"global_context": {"request_id": "r"}}),
        ]

    configs, one, nobody, serving, reply = use(cpex_server.endpoint, old)
    assert [config["name"] for config in configs] == [OLD]
    assert (one["name"], nobody, serving) == (OLD, None, True)
    assert args_of(reply) == {"n": 1}


def test_calls_that_an_old_server_answers_late_shift_no_answer(use: Any, cpex_server: CpexServer) -> None:
    context = {"global_context": {"request_id": "r"}}

    async def many(client: Any) -> None:
        async def one(n: int) -> None:
            payload = {"name": "sleep" if n % 5 == 0 else "echo", "args": {"seconds": 0.7, "n": n}}
            try:
                reply = await client.invoke("tool_pre_invoke", OLD, payload, context)
            except TimeoutError:
                assert n % 5 == 0
            else:
                assert args_of(reply)["n"] == n

        for start in range(0, 60, 10):
            await asyncio.gather(*map(one, range(start, start + 10)))

    use(cpex_server.endpoint, many, timeout=0.5)


def test_an_old_server_that_is_replaced_by_a_new_one_is_found_out(
    rendered: RenderedPlugin, config: Path, modules: Any, short_path: Path
) -> None:
    path = short_path / "u.sock"

    async def main() -> None:
        with serve_cpex(short_path, path) as old:
            client = await modules("runtime.client").connect(old.endpoint)
            assert client.version == 1
        while client.usable:
            await asyncio.sleep(0.01)
        with serve(rendered, "unix", "--config", str(config), "--socket", str(path)):
            assert args_of(await call(client, "echo", n=1)) == {"n": 1}
            assert client.version == 2
            await client.close()

    asyncio.run(asyncio.wait_for(main(), 3 * LIMIT))
