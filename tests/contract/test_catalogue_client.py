"""The catalogue client over a real wire: what it sends, what it makes of pages, and its two seconds."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from bots.demo.assistant import AssistantServer, Catalogue, demo_projects, faults
from core.clock import SystemClock
from core.errors import (
    BrokenAnswer,
    EndpointMisplaced,
    KeyRefused,
    OutcomeUnknown,
    QuestionRejected,
    RateLimited,
    ThreadlineError,
    Unavailable,
    Unreachable,
)
from core.model import Project, ProjectId
from core.ports import Catalogue as CataloguePort
from core.project_api import HttpCatalogue
from tests.fixtures.chat_client import KEY, keeping_quiet
from tests.fixtures.wire import (
    OPEN_ENDED,
    Act,
    Wire,
    is_silent,
    resets,
    response,
    says,
    says_and_closes,
    says_forever,
)

QUERY = "secret plans"
SHOP = Project(ProjectId("shop-demo-7f3k2"), "Shop demo")
MEDIA = Project(ProjectId("media-demo-4p9x1"), "Media demo")


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire.running() as wire:
        yield wire


@pytest_asyncio.fixture
async def server() -> AsyncIterator[AssistantServer]:
    retired = Catalogue("old-shop-2b8d4", "Old shop", (), (), archived=True)
    projects = (*demo_projects(), retired)
    async with AssistantServer(clock=SystemClock(), projects=projects, api_keys={KEY}) as running:
        yield running


def client(
    url: str, *, key: str = KEY, proxy: str | None = None, concurrency: int = 2, total_timeout: float = 2
) -> HttpCatalogue:
    return HttpCatalogue(
        base_url=url,
        api_key=key,
        clock=SystemClock(),
        proxy=proxy,
        concurrency=concurrency,
        total_timeout=total_timeout,
    )


async def found(url: str, query: str = "") -> list[Project]:
    async with client(url) as api:
        port: CataloguePort = api
        return list(await port.projects(query))


async def fault(api: HttpCatalogue) -> ThreadlineError:
    """Return what a look-up raises, after a look that neither key nor query is in it."""
    async with api:
        with pytest.raises(ThreadlineError) as raised:
            await api.projects(QUERY)
    assert KEY not in repr(api)
    return keeping_quiet(raised.value, KEY, QUERY)


def page(*entries: object) -> bytes:
    return json.dumps({"data": entries, "page": 0, "size": 100, "total": len(entries)}).encode()


def entry(name: object, identity: object = "some-project-1", **more: object) -> dict[str, object]:
    return {"id": identity, "name": name, "archived": False, **more}


# With the simulated assistant


async def test_the_organisations_projects_are_found_but_for_the_archived(server: AssistantServer) -> None:
    assert await found(server.url) == [SHOP, MEDIA]
    assert await found(server.url, "  DEMO ") == [SHOP, MEDIA]
    assert await found(server.url, "shop") == [SHOP]
    assert await found(server.url, "nothing like it") == []
    assert {call.method for call in server.journal} == {"GET"}


async def test_names_that_begin_with_the_query_come_first(server: AssistantServer) -> None:
    assert await found(server.url, "M") == [MEDIA, SHOP]


async def test_a_query_of_any_letters_arrives_as_it_is(server: AssistantServer) -> None:
    for query in ("a&size=1", "100 % + ?#/..", "Über 🚀", "\0\r\n."):
        assert await found(server.url, query) == []
        assert server.journal[-1].query == {"query": query, "size": "100", "archived": "false"}
    await found(server.url, "half \ud83d.")
    assert server.journal[-1].query["query"] == "half ?."


async def test_a_query_longer_than_any_name_is_not_even_asked(server: AssistantServer) -> None:
    assert await found(server.url, "🚀" * 60) == []
    assert len(server.journal) == 1
    assert await found(server.url, "x" * 6000) == []
    assert len(server.journal) == 1


async def test_a_wrong_key_is_refused(server: AssistantServer) -> None:
    async with client(server.url, key="another-key") as api:
        with pytest.raises(KeyRefused):
            await api.projects("")


FAULTS: dict[str, tuple[faults.Fault, type[ThreadlineError]]] = {
    "401": (faults.status(401), KeyRefused),
    "403": (faults.status(403), KeyRefused),
    "400": (faults.status(400, details=f"{QUERY} with {KEY}"), QuestionRejected),
    "404 elsewhere": (faults.status(404, html=True), EndpointMisplaced),
    "429": (faults.rate_limited("7"), RateLimited),
    "500": (faults.status(500), Unavailable),
    "502": (faults.status(502, html=True), Unavailable),
    "a redirect": (faults.redirect("http://127.0.0.1:1/"), EndpointMisplaced),
    "no content": (faults.empty_body(), BrokenAnswer),
    "not JSON": (faults.not_json(), BrokenAnswer),
    "half of it": (faults.truncated_json(), BrokenAnswer),
    "another type": (faults.wrong_content_type(), BrokenAnswer),
    "a chat's answer": (faults.says("orders"), BrokenAnswer),
    "too long": (faults.oversize(600 * 1024), BrokenAnswer),
    "a bomb": (faults.bomb(8), BrokenAnswer),
    "a reset": (faults.disconnect(), OutcomeUnknown),
    "cut": (faults.disconnect(faults.Cut.MID_ANSWER), OutcomeUnknown),
}


@pytest.mark.parametrize(("wrong", "kind"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_has_the_same_name_as_for_a_question(
    server: AssistantServer, wrong: faults.Fault, kind: type[ThreadlineError]
) -> None:
    server.faults.add(wrong)
    error = await fault(client(server.url))
    assert type(error) is kind
    assert len(server.journal) == 1  # no hidden second try
    if isinstance(error, RateLimited):
        assert error.retry_after is not None
        assert error.retry_after.total_seconds() == 7


async def test_a_slow_list_is_given_up_after_two_seconds_in_all(server: AssistantServer) -> None:
    server.faults.add(faults.hold())
    loop = asyncio.get_running_loop()
    api = HttpCatalogue(base_url=server.url, api_key=KEY, clock=SystemClock())
    started = loop.time()
    assert type(await fault(api)) is OutcomeUnknown
    assert 1.9 < loop.time() - started < 2.8


# What goes over the wire


async def test_a_look_up_goes_out_as_the_contract_says_and_reads_only(wire: Wire) -> None:
    wire.act = says(response(page()))
    assert await found(f"{wire.url}/prefix/", "a b") == []
    [heard] = wire.heard
    line, *fields = heard.head.strip().split("\r\n")
    method, address, _ = line.split(" ")
    assert (method, urlsplit(address).path) == ("GET", "/prefix/v1/projects")
    assert parse_qs(urlsplit(address).query) == {"query": ["a b"], "size": ["100"], "archived": ["false"]}
    assert dict(each.split(": ", 1) for each in fields) == {
        "Host": wire.url.removeprefix("http://"),
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Authorization": f"Bearer {KEY}",
        "User-Agent": f"threadline/{version('threadline')}",
    }


async def test_a_blank_query_asks_for_all_and_a_connection_is_used_again(wire: Wire) -> None:
    wire.act = says(response(page()))
    async with client(wire.url) as api:
        for query in ("", " \n", "x"):
            assert list(await api.projects(query)) == []
    assert ["query=" in heard.head for heard in wire.heard] == [False, False, True]
    assert wire.connections == 1


async def test_what_cannot_be_read_is_left_out(wire: Wire) -> None:
    entries = [
        entry("Good", "good-project-1"),
        entry(" Trimmed \ud83d ", "good-project-2", extra={"a": 1}),
        {"id": "good-project-3", "name": "Says nothing of archives"},
        entry("Archived", archived=True),
        entry("Upper case", "Some-Project-1"),
        entry("Too short", "short"),
        entry("Elsewhere", "../../admin"),
        entry("No id", None),
        entry(None),
        entry(" \t"),
        {"id": "no-name-at-all"},
        ["some-project-1"],
        None,
    ]
    wire.act = says(response(page(*entries)))
    assert [(project.id, project.name) for project in await found(wire.url)] == [
        ("good-project-1", "Good"),
        ("good-project-2", "Trimmed ?"),
        ("good-project-3", "Says nothing of archives"),
    ]


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data":null}', b'{"data":{"id":"x"}}', b'{"data":"x"}'])
async def test_what_is_no_page_is_a_broken_answer(wire: Wire, body: bytes) -> None:
    wire.act = says(response(body))
    assert type(await fault(client(wire.url))) is BrokenAnswer


LOST = {
    "closed": says_and_closes(b""),
    "reset": resets,
    "silence": is_silent,
    "endless hints": says_forever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.001),
    "dripping": says_forever(OPEN_ENDED + b"\r\n", b"1\r\n \r\n", 0.01),
}


@pytest.mark.parametrize("act", LOST.values(), ids=LOST.keys())
async def test_a_lost_reply_is_given_up_in_time_and_leaves_no_connection(wire: Wire, act: Act) -> None:
    wire.act = act
    assert type(await fault(client(wire.url, total_timeout=0.4))) is OutcomeUnknown
    assert len(wire.heard) == 1
    await wire.until(lambda: wire.open == 0)


async def test_a_refused_connection_has_seen_nothing() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        error = await fault(client(f"http://127.0.0.1:{nobody.getsockname()[1]}"))
    assert type(error) is Unreachable


async def test_a_handshake_that_never_ends_is_given_up_in_time(wire: Wire) -> None:
    wire.greet = is_silent
    error = await fault(client(wire.url.replace("http", "https"), total_timeout=0.2))
    assert type(error) is Unreachable
    await wire.until(lambda: wire.open == 0)


async def test_the_time_spent_waiting_for_a_slot_counts(wire: Wire) -> None:
    wire.act = is_silent
    loop = asyncio.get_running_loop()
    async with client(wire.url, concurrency=1, total_timeout=0.4) as api:
        started = loop.time()
        lost = await asyncio.gather(*(api.projects("x") for _ in range(6)), return_exceptions=True)
        assert loop.time() - started < 1.2  # one after the other it would be 2.4
        assert type(lost[0]) is OutcomeUnknown
        assert {type(error) for error in lost} <= {OutcomeUnknown, Unreachable}
        wire.act = says(response(page()))
        assert list(await api.projects("x")) == []
    await wire.until(lambda: wire.open == 0)


async def test_a_proxy_is_used_if_given_and_never_sees_the_key_of_an_https_look_up(wire: Wire) -> None:
    wire.act = says(response(b"", status="502 Bad Gateway"))
    assert type(await fault(client("https://api.example.com", proxy=wire.url))) is Unreachable
    assert wire.heard[-1].head.startswith("CONNECT api.example.com:443 ")
    assert KEY not in wire.heard[-1].head


def test_an_address_or_key_that_cannot_be_used_is_refused_at_once() -> None:
    with pytest.raises(EndpointMisplaced):
        client("http://api.example.com")
    with pytest.raises(KeyRefused):
        client("https://api.example.com", key="two words")
