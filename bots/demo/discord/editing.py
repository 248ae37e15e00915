"""Reads the body of an edit over the message as it was. It stores nothing."""

from collections.abc import Mapping

from bots.demo.discord.drafts import Draft, check_shape, read_fields
from bots.demo.discord.mentions import Allowed
from bots.demo.discord.records import Flags, Json, Message

_FIELDS = frozenset({"content", "embeds", "components", "attachments"})


def read_edit(
    message: Message, body: Json, files: Mapping[str, bytes], default: Allowed
) -> tuple[Draft, frozenset[str]]:
    """Return the message as it would read, and which fields the body names.

    Raises Refused for what Discord would not take, such as a message left empty (50006).
    """
    names = _FIELDS & set(body)
    flags = message.flags & Flags.COMPONENTS_V2
    draft = read_fields(body, files, default, flags)
    after = Draft(
        content=draft.content if "content" in names else message.content,
        embeds=draft.embeds if "embeds" in names else message.embeds,
        components=draft.components if "components" in names else message.components,
        attachments=draft.attachments if "attachments" in names else message.attachments,
        files=draft.files,
        flags=draft.flags,
        allowed=draft.allowed,
    )
    check_shape(after)
    return after, frozenset(names)
