"""Reads what a question is about: which facts, of which names. Answers nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from bots.demo.assistant.naming import Name, NameFinder

Turn = tuple[str, str]
"""A role and a content, as the endpoint's `messages` carry them."""


class Asked(Enum):
    """What somebody wants to know."""

    IMPACT = auto()
    DIAGRAM = auto()
    EXAMPLE = auto()
    OWNER = auto()
    PRODUCERS = auto()
    CONSUMERS = auto()
    DEPENDENCIES = auto()
    DEPENDENTS = auto()
    SERVICES = auto()
    TOPICS = auto()
    ABOUT = auto()
    THANKS = auto()
    ABILITIES = auto()


@dataclass(frozen=True, slots=True)
class Reading:
    """What is asked, and of what. `asked` is empty when no known question was recognised.

    `it` says that the subject must be found in earlier turns; `stranger` is a name nobody knows.
    """

    asked: tuple[Asked, ...]
    names: tuple[Name, ...]
    it: bool = False
    stranger: str | None = None


# The first group that matches excludes all others: "what breaks if it stops publishing" is about impact only.
_ALONE = (
    (
        Asked.IMPACT,
        r"\b(breaks?|blast|impact|affect(s|ed)?|fails?|outage|down|offline|dies?|crashes|unavailable)\b",
    ),
    (Asked.DIAGRAM, r"\b(diagram|mermaid|draw|graph|picture)\b"),
    (Asked.EXAMPLE, r"\b(examples?|sample|schema|payload|fields?|looks? like)\b"),
)
_TOGETHER = (
    (Asked.OWNER, r"\b(owns?|owned|owners?|responsible|maintains?|contact|(which|what) team)\b"),
    (Asked.PRODUCERS, r"\b(publish\w*|produc\w*|emits?|sends?|writes?|raises?|fires?)\b"),
    (Asked.CONSUMERS, r"\b(consum\w*|subscri\w*|listens?|receives?|reads?|reacts?)\b"),
)
_DEPENDENCIES = re.compile(
    r"\b(do|does|did)\b.*\b(depend|rely|call|use|need)\b|\bdependenc(y|ies)\b|\bupstream\b"
)
_DEPENDENTS = re.compile(
    r"\b(depend(s|ed|ing|ents?)? on|dependents?|rel(y|ies) on|call(s|ed|ing|ers?)?"
    r"|use[ds]?|users?|needs?|downstream)\b"
)
_UNNAMED = (
    (Asked.SERVICES, r"\bservices\b"),
    (Asked.TOPICS, r"\b(topics|events|messages)\b"),
    (Asked.THANKS, r"\b(thanks|thank you)\b"),
    (Asked.ABILITIES, r"\b(help|hello|hi|hey|what can (you|i))\b"),
)
_ABOUT = re.compile(r"\b(describe|explain|tell|what is|what s|about|details)\b")
_IT = re.compile(r"\b(it|its|this|that|them|their|they|these|those|he|she|one)\b")
_ONWARD = re.compile(r"^\W*(and|what about|how about|same for|or)\b")
_SPEAKER = re.compile(r"^\s*([^\n:]{1,60}):\s+(?=\S)")
_MARKUP = re.compile(r"<[@#!][^>\s]*>")


class QuestionReader:
    """Reads the newest user turn in the light of the earlier ones, which is all the memory there is."""

    def __init__(self, finder: NameFinder) -> None:
        self._finder = finder

    def read(self, turns: Sequence[Turn]) -> Reading:
        """Return what the last of `turns` asks, with "it" resolved from the turns before."""
        text = self.without_speaker(turns[-1][1])
        names = self._finder.find(text)
        asked = _asked(text.lower(), named=bool(names))
        if names:
            return Reading(self._onward(asked, text, turns), names)
        return self._unnamed(asked, text, turns)

    def without_speaker(self, text: str) -> str:
        """Drop mentions, and a leading `Ana: ` of each line unless it is a name of the project."""
        lines = _MARKUP.sub(" ", text).splitlines()
        return "\n".join(self._said(line) for line in lines)

    def _said(self, line: str) -> str:
        speaker = _SPEAKER.match(line)
        if speaker is None or self._finder.knows_exactly(speaker[1]) or "?" in speaker[1]:
            return line
        return line[speaker.end() :]

    def _unnamed(self, asked: tuple[Asked, ...], text: str, turns: Sequence[Turn]) -> Reading:
        if asked and asked[0] in {Asked.SERVICES, Asked.TOPICS, Asked.THANKS, Asked.ABILITIES}:
            return Reading(asked, ())
        pointed = _IT.search(text.lower()) is not None
        stranger = self._finder.stranger(text)
        if stranger is not None and (not pointed or re.search(r"[._-]", stranger)):
            return Reading(asked, (), stranger=stranger)
        if asked == (Asked.DIAGRAM,) and not pointed:
            return Reading(asked, ())
        if pointed or asked:
            return Reading(asked or (Asked.ABOUT,), self._mentioned_before(turns), it=True)
        return Reading((), ())

    def _onward(self, asked: tuple[Asked, ...], text: str, turns: Sequence[Turn]) -> tuple[Asked, ...]:
        """Take what was asked from the last question, for an "and shipping?" that asks nothing itself."""
        if asked != (Asked.ABOUT,) or not _ONWARD.match(text.lower()):
            return asked
        for role, content in reversed(turns[:-1]):
            if role == "user":
                earlier = self.without_speaker(content)
                return _asked(earlier.lower(), named=bool(self._finder.find(earlier))) or asked
        return asked

    def _mentioned_before(self, turns: Sequence[Turn]) -> tuple[Name, ...]:
        """Return what "it" is: what people named last, else what the assistant's last answer named first."""
        for role in ("user", "assistant"):
            for _, content in reversed([turn for turn in turns[:-1] if turn[0] == role]):
                names = self._finder.find(self.without_speaker(content))
                if names:
                    return names if role == "user" else names[:1]
        return ()


def _asked(text: str, *, named: bool) -> tuple[Asked, ...]:
    for asked, pattern in _ALONE:
        if re.search(pattern, text):
            return (asked,)
    together = tuple(asked for asked, pattern in _TOGETHER if re.search(pattern, text))
    together += _direction(text)
    if together:
        return together
    if named:
        return (Asked.ABOUT,)
    for asked, pattern in _UNNAMED:
        if re.search(pattern, text):
            return (asked,)
    return (Asked.ABOUT,) if _ABOUT.search(text) else ()


def _direction(text: str) -> tuple[Asked, ...]:
    if _DEPENDENCIES.search(text):
        return (Asked.DEPENDENCIES,)
    return (Asked.DEPENDENTS,) if _DEPENDENTS.search(text) else ()
