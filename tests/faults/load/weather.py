"""Bad weather: a share of all requests meets a fault of some kind, by seeded chance. It only decides."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from bots.demo.assistant import Cut, Fault, faults
from bots.demo.assistant.faults import FaultQueue
from bots.demo.discord import faults as discord_faults
from bots.demo.faults import Delay, Faults, Reset
from bots.demo.slack import faults as slack_faults
from tests.faults.load.crowd import Crowd

SHARE = 0.05
_THINKS = (0.05, 0.4)  #: seconds the assistant takes, at least and at most
_SLOW = 1.5

_ASSISTANT: Mapping[str, Callable[[], Fault]] = {
    "429": lambda: faults.rate_limited("1"),
    "500": lambda: faults.status(500),
    "503 page": lambda: faults.status(503, html=True),
    "reset unread": lambda: faults.disconnect(Cut.BEFORE_READING),
    "reset read": lambda: faults.disconnect(Cut.AFTER_READING),
    "cut short": lambda: faults.disconnect(Cut.MID_ANSWER),
    "truncated": faults.truncated_json,
    "no JSON": faults.not_json,
    "empty": faults.empty_body,
    "slow": lambda: faults.latency(_SLOW),
}
_SLACK: Mapping[str, slack_faults.Fault] = {
    "429": slack_faults.RateLimited(1),
    "503": slack_faults.HttpError(503),
    "500 but done": slack_faults.HttpError(500, after=True),
    "reset": Reset(),
    "reset but done": Reset(after=True),
    "internal_error": slack_faults.Refuse("internal_error"),
    "slow": Delay(_SLOW),
}
_DISCORD: Mapping[str, discord_faults.Fault] = {
    "429": discord_faults.RateLimited(0.5),
    "502": discord_faults.HttpError(502),
    "502 but done": discord_faults.HttpError(502, after=True),
    "reset": Reset(),
    "reset but done": Reset(after=True),
    "slow": Delay(_SLOW),
}
_SLACK_CALLS = frozenset({"chat.postMessage", "assistant.threads.setStatus", "conversations.replies"})
_DISCORD_CALLS = frozenset(
    {
        "POST /channels/{channel}/messages",
        "POST /channels/{channel}/messages/{message}/threads",
        "POST /channels/{channel}/typing",
        "GET /channels/{channel}/messages",
    }
)


class _Clouds(Faults[slack_faults.Fault]):
    """Over Slack."""

    def __init__(self, weather: "Weather") -> None:
        super().__init__()
        self._weather = weather

    def next(self, call: str) -> slack_faults.Fault | None:
        return super().next(call) or self._weather.over_slack(call)


class _Fog(Faults[discord_faults.Fault]):
    """Over Discord."""

    def __init__(self, weather: "Weather") -> None:
        super().__init__()
        self._weather = weather

    def next(self, call: str) -> discord_faults.Fault | None:
        return super().next(call) or self._weather.over_discord(call)


class _Rain(FaultQueue):
    """Over the assistant."""

    def __init__(self, weather: "Weather") -> None:
        super().__init__()
        self._weather = weather

    def take(self) -> Fault | None:
        return super().take() or self._weather.over_assistant()


class Weather:
    """Decides for each request whether it meets a fault, and counts what was met, by place and kind."""

    def __init__(self, rng: random.Random, share: float = SHARE) -> None:
        self.met: Counter[str] = Counter()
        self.requests = 0
        self._rng = rng
        self._share = share

    def comes_over(self, here: Crowd) -> None:
        """Let it reign over the assistant and both platforms from now on."""
        here.workspace.faults, here.world.faults = _Clouds(self), _Fog(self)
        here.assistant.faults = _Rain(self)

    def over_assistant(self) -> Fault:
        kind = self._kind("assistant", list(_ASSISTANT))
        return faults.latency(self._rng.uniform(*_THINKS), None if kind is None else _ASSISTANT[kind]())

    def over_slack(self, call: str) -> slack_faults.Fault | None:
        kind = self._kind("Slack", list(_SLACK)) if call in _SLACK_CALLS else None
        return None if kind is None else _SLACK[kind]

    def over_discord(self, call: str) -> discord_faults.Fault | None:
        kind = self._kind("Discord", list(_DISCORD)) if call in _DISCORD_CALLS else None
        return None if kind is None else _DISCORD[kind]

    def _kind(self, place: str, kinds: Sequence[str]) -> str | None:
        self.requests += 1
        if self._rng.random() >= self._share:
            return None
        kind = self._rng.choice(kinds)
        self.met[f"{place} {kind}"] += 1
        return kind
