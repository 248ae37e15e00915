"""What the app does with an interaction's token: first response, edits, follow-ups. No HTTP here."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bots.demo.discord.asking import metadata_json
from bots.demo.discord.drafts import Draft, read_draft
from bots.demo.discord.drawing import message_json
from bots.demo.discord.editing import read_edit
from bots.demo.discord.interaction import Callback, Interaction, InteractionKind
from bots.demo.discord.mentions import BY_TOKEN
from bots.demo.discord.modals import check_modal
from bots.demo.discord.posting import answering, blank, change, post
from bots.demo.discord.records import Flags, Json, Message, MessageKind
from bots.demo.discord.refusals import Refused, bad_choice, bad_length
from bots.demo.discord.state import DiscordState

ANSWER_WITHIN = 3.0
"""Seconds in which the first response must come."""
TOKEN_LIVES = timedelta(minutes=15)
_MOST_CHOICES = 25
_DEAD_STATUS = {50027: 401}
_COMPONENT_ONLY = {Callback.DEFERRED_UPDATE, Callback.UPDATE}


def respond(state: DiscordState, interaction: Interaction, body: Json, files: Mapping[str, bytes]) -> Json:
    """Do what the first response says, and return the answer of `with_response=true`.

    Raises Refused(10062) after three seconds and Refused(40060) for a second response.
    """
    waited = state.clock.monotonic() - interaction.began
    if interaction.response is not None:
        raise Refused(40060)
    if interaction.failed or waited > ANSWER_WITHIN:
        raise Refused(10062)
    callback = _callback(interaction, body)
    message = _done(state, interaction, callback, body.get("data") or {}, files)
    interaction.response, interaction.acked_after = callback, waited
    state.changes.happened()
    return _receipt(state, interaction, message)


def live(state: DiscordState, application: str, token: str) -> Interaction:
    """Return the interaction whose token this is; Refused when there is none, or it is dead or unanswered."""
    interaction = state.interactions.get(token)
    if interaction is None or application != state.application_id:
        raise Refused(10015)
    if interaction.expired or state.clock.now() - interaction.began_at >= TOKEN_LIVES:
        raise Refused(state.expired_as, status=_DEAD_STATUS.get(state.expired_as, 404))
    if interaction.response is None:
        raise Refused(10015)
    return interaction


def follow_up(
    state: DiscordState, interaction: Interaction, body: Json, files: Mapping[str, bytes]
) -> Message:
    """Post a follow-up and return it; the first one after a deferral takes the place of "is thinking"."""
    draft = read_draft(body, files, BY_TOKEN)
    original = interaction.original
    if original is not None and original.is_loading:
        return change(state, original, draft, frozenset({"content", "embeds", "components"}))
    message = _said(state, interaction, draft)
    if original is not None:
        message = answering(message, original)
    stored = post(state, message, draft)
    interaction.followup_ids.append(stored.id)
    return stored


def said_by(interaction: Interaction, message: str) -> Message:
    """Return "@original" or a follow-up of this interaction; Refused(10008) if it is none or is gone."""
    wanted = interaction.original_id if message == "@original" else message
    ours = {interaction.original_id, *interaction.followup_ids}
    found = interaction.look_up(wanted) if wanted in ours else None
    if found is None:
        raise Refused(10008)
    return found


def _callback(interaction: Interaction, body: Json) -> Callback:
    if body.get("type") not in set(Callback):
        raise bad_choice("type", choices=", ".join(str(one.value) for one in Callback))
    callback = Callback(body["type"])
    typing = interaction.kind is InteractionKind.AUTOCOMPLETE
    from_message = interaction.kind is InteractionKind.COMPONENT or bool(interaction.source)
    wrong = (
        typing is not (callback is Callback.CHOICES)
        or (callback in _COMPONENT_ONLY and (interaction.menu_command or not from_message))
        or (callback is Callback.MODAL and interaction.kind is InteractionKind.MODAL)
    )
    if wrong:
        raise bad_choice("type", choices="another response to this kind of interaction")
    return callback


def _done(
    state: DiscordState, interaction: Interaction, callback: Callback, data: Json, files: Mapping[str, bytes]
) -> Message | None:
    match callback:
        case Callback.MESSAGE:
            return _first(state, interaction, read_draft(data, files, BY_TOKEN))
        case Callback.DEFERRED_MESSAGE:
            flags = Flags.LOADING | (Flags(int(data.get("flags") or 0)) & Flags.EPHEMERAL)
            return _first(state, interaction, Draft(flags=flags))
        case Callback.DEFERRED_UPDATE:
            interaction.original_id = interaction.source
        case Callback.UPDATE:
            interaction.original_id = interaction.source
            pressed = said_by(interaction, "@original")
            draft, names = read_edit(pressed, data, files, BY_TOKEN)
            return change(state, pressed, draft, names)
        case Callback.CHOICES:
            choices = data.get("choices") or []
            if len(choices) > _MOST_CHOICES:
                raise bad_length("data", "choices", least=0, most=_MOST_CHOICES)
            interaction.choices = _checked_choices(choices)
        case _:
            interaction.modal = check_modal(data)
    return None


def _first(state: DiscordState, interaction: Interaction, draft: Draft) -> Message:
    message = _said(state, interaction, draft)
    pressed = state.message(interaction.source) if interaction.kind is InteractionKind.COMPONENT else None
    if pressed is not None:
        message = answering(message, pressed)
    elif interaction.kind is InteractionKind.COMMAND:
        kind = MessageKind.MENU_COMMAND if interaction.menu_command else MessageKind.SLASH_COMMAND
        message = replace(message, kind=kind)
    stored = post(state, message, draft)
    interaction.original_id = stored.id
    return stored


def _said(state: DiscordState, interaction: Interaction, draft: Draft) -> Message:
    return replace(
        blank(state, interaction.channel, state.bot_user),
        webhook=state.application_id,
        interaction=metadata_json(state, interaction),
        seen_by=interaction.user if Flags.EPHEMERAL in draft.flags else "",
    )


def _checked_choices(choices: list[Json]) -> list[Json]:
    for index, choice in enumerate(choices):
        if not 0 < len(choice["name"]) <= 100:
            raise bad_length("data", "choices", index, "name", least=1, most=100)
        if len(str(choice["value"])) > 100:
            raise bad_length("data", "choices", index, "value", least=1, most=100)
    return choices


def _receipt(state: DiscordState, interaction: Interaction, message: Message | None) -> Json:
    shown: Json = {"id": interaction.id, "type": interaction.kind.value, "channel_id": interaction.channel}
    if state.channels[interaction.channel].guild:
        shown["guild_id"] = state.channels[interaction.channel].guild
    if message is None or interaction.response is None:
        return {"interaction": shown}
    shown["response_message_id"] = message.id
    shown["response_message_loading"] = message.is_loading
    shown["response_message_ephemeral"] = message.ephemeral
    made = Callback.UPDATE if interaction.response is Callback.UPDATE else Callback.MESSAGE
    resource = {"type": made.value, "message": message_json(state, message)}
    return {"interaction": shown, "resource": resource}
