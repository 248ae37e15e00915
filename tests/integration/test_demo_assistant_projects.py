"""The simulated assistant's list of projects over a real loopback socket."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio

from bots.demo.assistant import AssistantServer, Catalogue, Outcome, demo_projects, faults
from core.clock import SystemClock

KEY = "demo-key"
LIST = "/v1/projects"
RETIRED = Catalogue("old-shop-2b8d4", "Old shop", (), (), archived=True)
# components/schemas/ProjectGet and ProjectPage: what is required, and nothing else is allowed
PROJECT_FIELDS = {
    "id": str,
    "name": str,
    "description": str,
    "isOwner": bool,
    "createdBy": str,
    "createdByType": str,
    "updatedBy": str,
    "updatedByType": str,
    "createdAt": str,
    "updatedAt": str,
    "archived": bool,
    "pinned": bool,
    "serviceCount": int,
}
PAGE_FIELDS = {"data", "page", "size", "total", "totalPages", "first", "last"}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[AssistantServer]:
    projects = (*demo_projects(), RETIRED)
    async with AssistantServer(clock=SystemClock(), projects=projects, api_keys={KEY}) as running:
        yield running


@pytest_asyncio.fixture
async def client(server: AssistantServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=10) as ours:
        yield ours


async def page(client: httpx.AsyncClient, **parameters: str | int) -> Any:
    response = await client.get(LIST, params=parameters)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    content = response.json()
    assert set(content) == PAGE_FIELDS
    return content


def ids(content: Any) -> list[str]:
    return [project["id"] for project in content["data"]]


async def test_the_page_has_the_contracts_shape(client: httpx.AsyncClient, server: AssistantServer) -> None:
    content = await page(client)
    assert ids(content) == ["shop-demo-7f3k2", "media-demo-4p9x1", "old-shop-2b8d4"]
    for project in content["data"]:
        assert {name: type(value) for name, value in project.items()} == PROJECT_FIELDS
        assert {project["createdByType"], project["updatedByType"]} <= {"MEMBER", "API_KEY"}
        assert datetime.fromisoformat(project["updatedAt"]).tzinfo is not None
    shop = content["data"][0]
    assert (shop["name"], shop["archived"]) == ("Shop demo", False)
    assert shop["serviceCount"] > 3
    assert {key: content[key] for key in PAGE_FIELDS - {"data"}} == {
        "page": 0,
        "size": 20,
        "total": 3,
        "totalPages": 1,
        "first": True,
        "last": True,
    }
    assert (server.journal[0].project, server.journal[0].outcome) == ("", Outcome.ANSWERED)


async def test_a_query_is_part_of_a_name_in_any_case(
    client: httpx.AsyncClient, server: AssistantServer
) -> None:
    assert ids(await page(client, query="SHOP")) == ["shop-demo-7f3k2", "old-shop-2b8d4"]
    assert ids(await page(client, query="p d")) == ["shop-demo-7f3k2"]
    assert ids(await page(client, query="7f3k2")) == []
    assert [call.query["query"] for call in server.journal] == ["SHOP", "p d", "7f3k2"]


async def test_the_archived_can_be_had_alone_or_not_at_all(client: httpx.AsyncClient) -> None:
    assert ids(await page(client, archived="true")) == ["old-shop-2b8d4"]
    assert ids(await page(client, archived="false", query="shop")) == ["shop-demo-7f3k2"]


async def test_pages_follow_one_another(client: httpx.AsyncClient) -> None:
    first = await page(client, size=2)
    assert (ids(first), first["totalPages"]) == (["shop-demo-7f3k2", "media-demo-4p9x1"], 2)
    assert (first["first"], first["last"]) == (True, False)
    second = await page(client, size=2, page=1)
    assert (ids(second), second["first"], second["last"]) == (["old-shop-2b8d4"], False, True)
    beyond = await page(client, size=100, page=7)
    assert (ids(beyond), beyond["total"], beyond["last"]) == ([], 3, True)
    nothing = await page(client, query="nothing")
    assert (nothing["totalPages"], nothing["first"], nothing["last"]) == (0, True, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", "0"),
        ("size", "101"),
        ("size", "ten"),
        ("size", ""),
        ("page", "-1"),
        ("page", "٣"),
        ("page", "9" * 5000),
        ("archived", "yes"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named(
    client: httpx.AsyncClient, name: str, value: str
) -> None:
    response = await client.get(LIST, params={name: value})
    content = response.json()
    assert response.status_code == 400
    assert set(content) == {"status", "code", "message", "details"}  # components/schemas/ErrorResponse
    assert (content["status"], content["code"]) == (400, "bad_request")
    assert content["details"].startswith(name)


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Basic ZGVtbw==", ""])
async def test_a_missing_or_unknown_key_is_unauthorized(
    client: httpx.AsyncClient, authorization: str
) -> None:
    response = await client.get(LIST, headers={"Authorization": authorization})
    content = response.json()
    assert (response.status_code, content["status"], content["code"]) == (401, 401, "unauthorized")
    assert set(content) == {"status", "code", "message"}


async def test_faults_and_the_steady_limit_are_the_same_as_for_questions(
    client: httpx.AsyncClient, server: AssistantServer
) -> None:
    server.faults.add(faults.status(500))
    assert (await client.get(LIST)).json()["code"] == "internal_error"
    server.limit(per_second=0.01)
    assert (await client.get(LIST)).status_code == 200
    limited = await client.get(LIST)
    assert (limited.status_code, limited.json()["code"]) == (429, "rate_limited")
    assert limited.headers["retry-after"] == str(limited.json()["retryAfter"])
