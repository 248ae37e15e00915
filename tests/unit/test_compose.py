"""What the repository offers to run Threadline in containers, held against what the program accepts."""

import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]  # ships no types
from typer.main import get_command

from bots.cli import app
from bots.cli.db import copy
from bots.settings import VARIABLES
from bots.settings.parsing import database
from bots.web import app as web
from bots.wiring import Role

HERE = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((HERE / "compose.yaml").read_text())
README = (HERE / "README.md").read_text()
DOCKERFILE = (HERE / "Dockerfile").read_text()
OURS = {
    name: service for name, service in COMPOSE["services"].items() if service.get("image") == "threadline"
}


def test_there_are_two_of_each_role_and_one_that_migrates_before_all_of_them() -> None:
    roles = {name: service for name, service in OURS.items() if name != "migrate"}
    assert {name: service["deploy"]["replicas"] for name, service in roles.items()} == {
        "web": 2,
        "listen": 2,
        "work": 2,
    }
    for name, service in roles.items():
        assert service["command"] == ["run", "--role", Role(name)]
        assert service["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert COMPOSE["services"]["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


@pytest.mark.parametrize("service", OURS.values(), ids=OURS)
def test_every_command_is_one_of_the_programs(service: dict[str, Any]) -> None:
    name, *arguments = service["command"]
    command = get_command(app).get_command(None, name)  # type: ignore[attr-defined]  # it is a group of commands
    if hasattr(command, "commands"):
        name, *arguments = arguments
        command = command.commands[name]
    assert command.make_context(name, arguments).command is command


@pytest.mark.parametrize("told", [README, " ".join(str(copy.__doc__).split())], ids=["README", "--help"])
def test_the_way_into_its_database_that_is_told_is_one(told: str) -> None:
    (said,) = re.findall(r"docker compose run (--rm .+?threadline\.db)", told)
    words = shlex.split(said)
    at = next(place for place, word in enumerate(words) if word in OURS)
    assert OURS[words[at]]["depends_on"] == {
        "postgres": {"condition": "service_healthy"}
    }  # and nothing else runs
    group, name, *arguments = words[at + 1 :]
    command = get_command(app).get_command(None, group).commands[name]  # type: ignore[attr-defined]  # they are groups
    source = command.make_context(name, arguments).params["source"]
    (folder,) = [word.partition(":")[2] for before, word in pairwise(words) if before == "-v"]
    assert database(source) == f"sqlite:///{folder}/threadline.db"


@pytest.mark.parametrize("service", OURS.values(), ids=OURS)
def test_every_variable_is_a_setting_and_the_database_is_shared(service: dict[str, Any]) -> None:
    assert set(service["environment"]) <= {*VARIABLES, "PGPASSWORD"}
    url = service["environment"]["THREADLINE_DATABASE_URL"]
    assert database(url).startswith("postgresql://")
    server = COMPOSE["services"]["postgres"]["environment"]
    assert url == f"postgresql://{server['POSTGRES_USER']}@postgres/{server['POSTGRES_DB']}"
    assert service["environment"]["PGPASSWORD"] == server["POSTGRES_PASSWORD"]


@pytest.mark.parametrize("service", OURS.values(), ids=OURS)
def test_it_runs_with_nothing_that_it_does_not_need(service: dict[str, Any]) -> None:
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["tmpfs"] == ["/tmp"]


async def _yes() -> bool:
    return True


async def _none() -> bytes | None:
    return None


async def test_what_is_probed_is_there() -> None:
    (path,) = re.findall(r"http://127\.0\.0\.1:8080(/\w+)", str(COMPOSE["services"]["web"]["healthcheck"]))
    inside = httpx.ASGITransport(web.build([], _yes, _none))
    async with httpx.AsyncClient(transport=inside, base_url="http://127.0.0.1:8080") as client:
        assert (await client.get(path)).status_code == 200


def test_the_image_has_pinned_packages_and_an_ordinary_user() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(stage.endswith("-slim") for stage in stages)
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)
    assert users
    assert "root" not in users
    set_here = re.findall(r"\b(THREADLINE_\w+)=", DOCKERFILE)
    assert set(set_here) <= set(VARIABLES)
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        assert all((HERE / one).exists() for one in copied.split())
