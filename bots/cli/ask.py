"""`threadline ask`: one question from the terminal, straight to the project's assistant."""

from typing import Annotated

import typer

from bots.cli.starting import TO_BE_SET_RIGHT, fail, finish, plainly, settings
from bots.settings import Need, Settings
from bots.wiring import keyring_over
from core import text
from core.clock import SystemClock
from core.model import ProjectId, Role, Turn, project_id


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    project: Annotated[
        str | None, typer.Option(help="The project; without it, THREADLINE_DEFAULT_PROJECT.")
    ] = None,
) -> None:
    """Ask a project's assistant one question and print the answer. Tests the key and the project, too."""
    found = settings(Need.KEY)
    with plainly():
        asked = found.default_project if project is None else project_id(project)
    if asked is None:
        fail("Name a project with --project, or set THREADLINE_DEFAULT_PROJECT.", TO_BE_SET_RIGHT)
    if not question.strip():
        fail("The question is empty.", TO_BE_SET_RIGHT)
    typer.echo(finish(_answer(found, asked, question)))


async def _answer(found: Settings, project: ProjectId, question: str) -> str:
    async with keyring_over(found, SystemClock()) as keyring:
        return await keyring.ask(None, project, [Turn(Role.USER, None, text.clean(question).strip())])
