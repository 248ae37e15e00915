"""The routes of the application's global commands."""

from bots.demo.discord.calling import Answer, Call, Deed
from bots.demo.discord.commands import register, without_localizations
from bots.demo.discord.refusals import Refused
from bots.demo.discord.state import DiscordState


def listed(state: DiscordState, call: Call) -> Answer:
    """Return the commands, with their localizations only if asked for."""
    _check_application(state, call)
    if call.flag("with_localizations"):
        return state.commands
    return [without_localizations(command) for command in state.commands]


def replaced(state: DiscordState, call: Call) -> Answer:
    """Replace all commands."""
    _check_application(state, call)
    return list(register(state, call.body))


def _check_application(state: DiscordState, call: Call) -> None:
    if call.ids["application"] != state.application_id:
        raise Refused(10002)


ROUTES: dict[str, Deed] = {
    "GET /applications/{application}/commands": listed,
    "PUT /applications/{application}/commands": replaced,
}
