"""The project list's contract from the server's side: reads a query, writes a page. No sockets."""

from collections.abc import Collection, Mapping, Sequence

from bots.demo.assistant.catalogue import Catalogue
from bots.demo.assistant.contract import Reply, json_reply, refused

PATH = "/v1/projects"

_MAKER = "demo@example.com"
_MADE = "2026-01-05T09:00:00Z"


class InvalidQuery(Exception):
    """A parameter of the query cannot be used; the message names it."""


def page_reply(catalogues: Collection[Catalogue], parameters: Mapping[str, str]) -> Reply:
    """Return the page that `query`, `page`, `size` and `archived` ask for, or a 400; others are ignored."""
    try:
        query = parameters.get("query", "").casefold()
        archived = _flag(parameters, "archived")
        number = _whole(parameters, "page", default=0, least=0)
        size = _whole(parameters, "size", default=20, least=1, most=100)
    except InvalidQuery as error:
        return refused(400, "bad_request", "Invalid query parameters", str(error))
    found = [
        each for each in catalogues if query in each.title.casefold() and archived in {None, each.archived}
    ]
    return json_reply(200, _page(found, number, size))


def _page(found: Sequence[Catalogue], number: int, size: int) -> dict[str, object]:
    pages = -(-len(found) // size)
    return {
        "data": [project(each) for each in found[number * size : (number + 1) * size]],
        "page": number,
        "size": size,
        "total": len(found),
        "totalPages": pages,
        "first": number == 0,
        "last": number + 1 >= pages,
    }


def project(catalogue: Catalogue) -> dict[str, object]:
    """Return a project as the service describes it."""
    return {
        "id": catalogue.project,
        "name": catalogue.title,
        "description": catalogue.description,
        "isOwner": False,
        "createdBy": _MAKER,
        "createdByType": "MEMBER",
        "updatedBy": _MAKER,
        "updatedByType": "MEMBER",
        "createdAt": _MADE,
        "updatedAt": _MADE,
        "archived": catalogue.archived,
        "pinned": False,
        "serviceCount": len(catalogue.services),
    }


def _flag(parameters: Mapping[str, str], name: str) -> bool | None:
    match parameters.get(name):
        case None:
            return None
        case "true" | "false" as text:
            return text == "true"
        case _:
            raise InvalidQuery(f"{name} must be true or false")


def _whole(
    parameters: Mapping[str, str], name: str, *, default: int, least: int, most: int = 2**31 - 1
) -> int:
    text = parameters.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
        raise InvalidQuery(f"{name} must be a whole number from {least} to {most}")
    return int(text)
