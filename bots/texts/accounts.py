"""What is said of a workspace's own API key: in its form, and after it. Of a key only its ending is told."""

from collections.abc import Mapping, Sequence

from core.errors import KeyRefused, RateLimited, SealMissing, SealUnbroken, StoreUnavailable, ThreadlineError
from core.model import Account, ProjectId
from core.services.accounting import MOST_PROJECTS, KeyMissing, ProjectsUnseen
from core.services.filling import Field, Misfit, Unfit

# A form's title has at most 24 characters on Slack; a label 45, and what stands in or below it 100, on Discord.
TITLE = "This {whole}'s API key"
SUBMIT = "Check and save"
SAVED = "Saved"
CLOSE = "Close"
LABELS = {
    Field.KEY: "API key of your organisation",
    Field.PROJECTS: "Projects that may be asked about",
    Field.PERSON: "Questions of one person in an hour",
    Field.CHANNEL: "Questions in one channel in an hour",
    Field.WAITING: "Questions that may wait at once",
}
HINTS = {
    Field.KEY: "From MicroVisualizer. It is checked, kept sealed, and never shown again.",
    Field.PROJECTS: "Their ids, with commas between them. Empty: all that the key sees.",
    Field.PERSON: "Empty: as many as this installation allows, which is also the most.",
    Field.CHANNEL: "Empty: as many as this installation allows, which is also the most.",
    Field.WAITING: "Empty: as many as this installation allows, which is also the most.",
}
KEEP_KEY = "Leave empty to keep the key{ending}"
NOT_KEPT = (
    "API keys of workspaces cannot be kept here: whoever runs Threadline has to set `THREADLINE_SECRET_KEY` first, by which "
    "they are sealed."
)
NOT_HERE = "Direct messages have no API key of their own. Type this command in a server."
BAD_WORD = "I do not know `{word}`: behind `account` there may only be `remove`."
REMOVED = "This {whole}'s own API key is gone: Threadline has forgotten it."
NOTHING_TO_REMOVE = "This {whole} has no API key of its own."
NO_KEY_YET = (
    " But there is no API key to ask with here yet: type `/threadline account` to set one. What is asked meanwhile is kept for "
    "24 hours, and answered then."
)
NO_KEY = "There is no API key to ask with here. {admin} can set one with `/threadline account`."
NOT_ALLOWED = (
    "`{project}` is not on the list of projects that may be asked about here. Someone who may link can change that list with "
    "`/threadline account`. Nothing was changed."
)
_MISFITS = {
    Misfit.NO_PROJECT_ID: "There is something here that is no project id: one has 8 to 60 characters, small letters, digits and "
    "hyphens. MicroVisualizer's API lists them: GET /v1/projects.",
    Misfit.TOO_MANY_PROJECTS: f"Name at most {MOST_PROJECTS} projects, or none for all that the key sees.",
    Misfit.NO_NUMBER: "This has to be a whole number from 1 to 1000000, or empty.",
}


def keep_key(account: Account | None) -> str:
    """Return what stands in the empty field of a key that is set already; nothing where none is."""
    if account is None:
        return ""
    return KEEP_KEY.format(ending=f" that ends in {account.ending}" if account.ending else "")


def shown(account: Account | None) -> Mapping[Field, str]:
    """Return what stands in the form's other fields."""
    if account is None:
        return dict.fromkeys(Field, "")
    numbers = {Field.PERSON: account.person, Field.CHANNEL: account.channel, Field.WAITING: account.waiting}
    filled = {field: "" if number is None else str(number) for field, number in numbers.items()}
    return {Field.PROJECTS: ", ".join(account.projects), **filled}


def saved(account: Account, *, released: int, whole: str) -> str:
    """Return what is said once an account is set."""
    waiting = {0: "", 1: " The question that waited is being answered."}
    more = waiting.get(released, f" The {released} questions that waited are being answered.")
    return f"MicroVisualizer accepts the key. Questions of this {whole} are asked under {_named(account)} from now on.{more}"


def told(account: Account | None, *, has_key: bool, admin: str, whole: str) -> str:
    """Return what `/threadline status` says of the key that is asked under; empty for the installation's."""
    if account is None:
        return "" if has_key else f"\n{NO_KEY.format(admin=admin)}"
    own = f"Questions of this {whole} are asked under {_named(account)}"
    allowances = _allowances(account)
    return f"\n{own}, set by <@{account.by}> on {account.since:%Y-%m-%d}.{allowances}"


def removed(*, had_one: bool, has_key: bool, admin: str, whole: str) -> str:
    """Return what is said once an account is taken away, or there was none."""
    said = (REMOVED if had_one else NOTHING_TO_REMOVE).format(whole=whole)
    if not has_key:
        return f"{said} {NO_KEY.format(admin=admin)}"
    return f"{said} Questions are asked under this installation's."


def faults(error: ThreadlineError) -> Mapping[Field, str]:
    """Return what is said at which field of the form, where an account was not set."""
    match error:
        case Unfit():
            return {field: _MISFITS[misfit] for field, misfit in error.faults.items()}
        case ProjectsUnseen():
            return {Field.PROJECTS: f"The key does not see {_listed(error.projects)}. Nothing was changed."}
    return {Field.KEY: f"{_why(error)} Nothing was changed."}


def _why(error: ThreadlineError) -> str:
    match error:
        case KeyMissing():
            return "Give a key: there is none yet."
        case KeyRefused():
            return "MicroVisualizer does not accept this key. Copy it again."
        case SealUnbroken():
            return "The key that is kept cannot be opened any more: give it anew."
        case SealMissing():
            return NOT_KEPT
        case StoreUnavailable():
            return "My database is not available just now. Try again in a moment."
        case RateLimited():
            return "MicroVisualizer asks to come back later with this key. Try again in a few minutes."
    return "MicroVisualizer does not answer as it should just now, so I cannot check the key. Try again in a moment."


def _named(account: Account) -> str:
    ending = f" (it ends in `{account.ending}`)" if account.ending else ""
    among = f", about {_listed(account.projects)} only" if account.projects else ""
    return f"its own API key{ending}{among}"


def _allowances(account: Account) -> str:
    counts = ((account.person, "of one person"), (account.channel, "in one channel"))
    hourly = [f"{many} {where}" for many, where in counts if many is not None]
    said = f" In an hour at most: {', '.join(hourly)}." if hourly else ""
    return said if account.waiting is None else f"{said} At most {account.waiting} may wait."


def _listed(projects: Sequence[ProjectId]) -> str:
    return ", ".join(f"`{project}`" for project in projects)
