"""Finds a project's names in free text, typos forgiven. Knows nothing of what is asked about them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from functools import lru_cache

from bots.demo.assistant.catalogue import Catalogue

_WORD = re.compile(r"[^\W_]+(?:[._-][^\W_]+)*")
_FUZZY_FROM = 5  # letters: below, nearly every word is a typo of another
_LIKENESS = 0.8

COMMON_WORDS = frozenset(
    """
    a about affected affects after again all an and another any anybody anyone are as ask at be been blast
    break breaks bring by call called caller callers calling calls can complete consume consumed consumer
    consumers consumes consuming contact could crashes dead depend depended dependencies dependency
    dependent dependents depending depends describe details diagram did die dies do does down downstream
    draw each else emit emits entire event events everything example examples explain fail fails failure
    fall falls field fields fire fires first for from full give go goes good graph happen happens has have
    hello help hey hi how i if impact in is it its list listen listening listens look looks maintain
    maintains many map may me mermaid message messages messaging my name need needs no not now of offline ok
    okay on one or other our out outage overview own owned owner owners owns payload picture please produce
    produced producer producers produces producing project publish published publisher publishers publishes
    publishing quick radius raise raises react reacts read reads receive receives relies rely responsible
    same sample say schema see send sends sent service services should show so stop stops subscribe
    subscribed subscriber subscribers subscribes system team teams tell thank thanks that the their them
    then there these they thing things this those to too topic topics unavailable upstream us use used user
    users uses was we were what whats when where which who whole whom whose why will with without would
    write writes yes you your
    """.split()  # noqa: SIM905 - one word a line would hide the list
)


class Sort(Enum):
    """What a name stands for."""

    SERVICE = "service"
    TOPIC = "topic"
    TEAM = "team"


@dataclass(frozen=True, slots=True)
class Name:
    """One thing of the project that a text speaks of."""

    sort: Sort
    text: str


class NameFinder:
    """Recognises one catalogue's services, topics and teams, also without `-service` or with a typo."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._names: dict[str, Name] = {}
        for team in catalogue.owners:
            self._learn(Name(Sort.TEAM, team), team.lower().replace(" ", "-"))
        for topic in catalogue.topics:
            self._learn(Name(Sort.TOPIC, topic.name), topic.name, topic.name.replace(".", "-"))
        for service in catalogue.services:
            self._learn(Name(Sort.SERVICE, service.name), service.name, service.name.removesuffix("-service"))
        self._nearest = lru_cache(maxsize=4096)(self._search)

    def find(self, text: str) -> tuple[Name, ...]:
        """Return the names the text contains, each once, in order of appearance."""
        return tuple(dict.fromkeys(name for _, name in self._pieces(text) if name is not None))

    def knows_exactly(self, text: str) -> bool:
        """Tell whether the text as a whole is a name."""
        return text.strip().strip("`*").lower() in self._names

    def stranger(self, text: str) -> str | None:
        """Return the last word that reads like a name but is none here, or None."""
        strange = [
            word
            for word, name in self._pieces(text)
            if name is None and word not in COMMON_WORDS and len(word) > 2
        ]
        return strange[-1] if strange else None

    def suggestions(self, word: str) -> tuple[str, ...]:
        """Return up to three names somewhat like the word."""
        close = get_close_matches(word, self._names, n=6, cutoff=0.5)
        return tuple(dict.fromkeys(self._names[alias].text for alias in close))[:3]

    def _learn(self, name: Name, *aliases: str) -> None:
        self._names.update(dict.fromkeys(aliases, name))

    def _pieces(self, text: str) -> Iterator[tuple[str, Name | None]]:
        """Yield each word, or two words that together make a name, with what it names."""
        words = _WORD.findall(text.lower())
        at = 0
        while at < len(words):
            pair = "-".join(words[at : at + 2])
            if at + 1 < len(words) and pair in self._names:
                yield pair, self._names[pair]
                at += 2
                continue
            yield words[at], self._nearest(words[at])
            at += 1

    def _search(self, word: str) -> Name | None:
        if word in self._names:
            return self._names[word]
        if word in COMMON_WORDS or len(word) < _FUZZY_FROM:
            return None
        close = get_close_matches(word, self._names, n=1, cutoff=_LIKENESS)
        return self._names[close[0]] if close else None
