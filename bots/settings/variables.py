"""Reads one variable after the other and gathers the faults. Knows no names but the proxy's."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from bots.settings import parsing
from bots.settings.model import Fault

T = TypeVar("T")


class Reading:
    """What is written, being read."""

    def __init__(self, written: Mapping[str, str], faults: list[Fault]) -> None:
        self._written = written
        self._faults = faults

    def __contains__(self, name: str) -> bool:
        return name in self._written

    def fault(self, variable: str, problem: str, remedy: str) -> None:
        """Note a fault."""
        self._faults.append(Fault(variable, problem, remedy))

    def take(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """Return the parsed value, or `default` where it is not set or is a fault."""
        if name not in self._written:
            return default
        try:
            return parse(self._written[name])
        except parsing.Wrong as wrong:
            self.fault(name, *wrong.args)
            return default

    def proxy(self, url: str) -> str | None:
        """Return the proxy on the way to `url`: there is none to this machine itself."""
        return self.take("HTTPS_PROXY", parsing.proxy, None) if url.startswith("https:") else None
