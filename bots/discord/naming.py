"""What a thread is called, by the question it is opened for. Makes no calls."""

import re

from bots import texts

_NAME_LIMIT = 90  # of Discord's 100


def asked_in(header: str) -> str:
    """Return the question out of what an interaction's message says of it."""
    return header.partition(": ")[2]


def thread_name(question: str) -> str:
    """Return a thread's name: the beginning of the question, in one line, without marks of Discord's."""
    words = re.sub(r"<[@#:/a-z][^<>\s]*>|[*_`~|>#]", " ", question.strip().partition("\n")[0])
    line = " ".join(words.split()).strip(" :")
    if len(line) > _NAME_LIMIT:
        line = line[:_NAME_LIMIT].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
    return line or texts.THREAD_NAME
