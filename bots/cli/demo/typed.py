"""What people type, made into what a platform is sent. It sends nothing."""

import re
from collections.abc import Mapping


def with_mentions(text: str, people: Mapping[str, str]) -> str:
    """Return the text with @name as a mention wherever it names one of the people (small letters → id)."""

    def mention(found: re.Match[str]) -> str:
        user = people.get(found[1].lower())
        return found[0] if user is None else f"<@{user}>"

    return re.sub(r"(?<!\w)@(\w+)", mention, text)
