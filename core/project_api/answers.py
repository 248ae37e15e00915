"""Finds the assistant's words in the JSON of the chat endpoint. No I/O."""

from typing import Any

from core.errors import BrokenAnswer
from core.project_api.replies import writable


def text_in(content: Any) -> str:
    """Return the assistant's words (Markdown, not blank) from a 200's JSON; raises BrokenAnswer."""
    match content:
        case {"message": {"role": "assistant", "content": str(text)}} if text.strip():
            return writable(text)
        case {"message": {"role": "assistant", "content": str()}}:
            raise BrokenAnswer("The answer is blank.")
        case _:
            raise BrokenAnswer("The answer is JSON, but not a message by the assistant.")
