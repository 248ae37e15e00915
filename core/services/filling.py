"""What somebody wrote into the form of an account, read: what they want, or all that is wrong with it."""

import re
from collections.abc import Mapping
from enum import StrEnum

from core.errors import InvalidProjectId, Permanent
from core.model import ProjectId, project_id
from core.services.accounting import MOST_PROJECTS, Wanted

_MOST_QUESTIONS = 1_000_000


class Field(StrEnum):
    """The form's fields; adapters name theirs by these."""

    KEY = "key"
    PROJECTS = "projects"
    PERSON = "person"
    CHANNEL = "channel"
    WAITING = "waiting"


class Misfit(StrEnum):
    """What is wrong with a field. The words for it are in bots/texts."""

    NO_PROJECT_ID = "no_project_id"
    TOO_MANY_PROJECTS = "too_many_projects"
    NO_NUMBER = "no_number"


class Unfit(Permanent):
    """Some fields of the form cannot be read."""

    def __init__(self, faults: Mapping[Field, Misfit]) -> None:
        super().__init__()
        self.faults = faults


def wanted(written: Mapping[str, str]) -> Wanted:
    """Return what is wanted by what was written; a missing or blank field is an empty one. Raises Unfit."""
    faults: dict[Field, Misfit] = {}
    texts = {field: (written.get(field) or "").strip() for field in Field}

    def number(field: Field) -> int | None:
        text = texts[field]
        if not text:
            return None
        if re.fullmatch(r"[0-9]{1,9}", text) is None or not 1 <= int(text) <= _MOST_QUESTIONS:
            faults[field] = Misfit.NO_NUMBER
            return None
        return int(text)

    found = Wanted(
        key=texts[Field.KEY] or None,
        projects=_projects(texts[Field.PROJECTS], faults),
        person=number(Field.PERSON),
        channel=number(Field.CHANNEL),
        waiting=number(Field.WAITING),
    )
    if faults:
        raise Unfit(faults)
    return found


def _projects(text: str, faults: dict[Field, Misfit]) -> tuple[ProjectId, ...]:
    """Return the ids that a text lists, by commas or white space, each once."""
    listed = dict.fromkeys(filter(None, re.split(r"[,;\s]+", text)))
    try:
        projects = tuple(map(project_id, listed))
    except InvalidProjectId:
        faults[Field.PROJECTS] = Misfit.NO_PROJECT_ID
        return ()
    if len(projects) > MOST_PROJECTS:
        faults[Field.PROJECTS] = Misfit.TOO_MANY_PROJECTS
    return projects
