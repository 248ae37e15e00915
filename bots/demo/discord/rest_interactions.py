"""The routes that need no bot token but an interaction's: first response, edits, follow-ups."""

from bots.demo.discord.calling import Answer, Call, Deed
from bots.demo.discord.drawing import message_json
from bots.demo.discord.editing import read_edit
from bots.demo.discord.mentions import BY_TOKEN
from bots.demo.discord.posting import change, remove
from bots.demo.discord.refusals import Refused
from bots.demo.discord.responding import follow_up, live, respond, said_by
from bots.demo.discord.state import DiscordState


def callback(state: DiscordState, call: Call) -> Answer:
    """Respond to an interaction for the first time."""
    interaction = state.interactions.get(call.ids["token"])
    if interaction is None or interaction.id != call.ids["interaction"]:
        raise Refused(10062)
    receipt = respond(state, interaction, call.fields, call.files)
    return receipt if call.flag("with_response") else None


def say(state: DiscordState, call: Call) -> Answer:
    """Post a follow-up."""
    interaction = live(state, call.ids["application"], call.ids["token"])
    return message_json(state, follow_up(state, interaction, call.fields, call.files))


def read(state: DiscordState, call: Call) -> Answer:
    """Return the first response or a follow-up, which the app may always read."""
    interaction = live(state, call.ids["application"], call.ids["token"])
    return message_json(state, said_by(interaction, call.ids["message"]))


def edit(state: DiscordState, call: Call) -> Answer:
    """Edit the first response or a follow-up; a deferred one stops loading."""
    interaction = live(state, call.ids["application"], call.ids["token"])
    message = said_by(interaction, call.ids["message"])
    draft, names = read_edit(message, call.fields, call.files, BY_TOKEN)
    return message_json(state, change(state, message, draft, names))


def delete(state: DiscordState, call: Call) -> Answer:
    """Delete the first response or a follow-up."""
    interaction = live(state, call.ids["application"], call.ids["token"])
    remove(state, said_by(interaction, call.ids["message"]))
    return None


ROUTES: dict[str, Deed] = {
    "POST /interactions/{interaction}/{token}/callback": callback,
    "POST /webhooks/{application}/{token}": say,
    "GET /webhooks/{application}/{token}/messages/{message}": read,
    "PATCH /webhooks/{application}/{token}/messages/{message}": edit,
    "DELETE /webhooks/{application}/{token}/messages/{message}": delete,
}
