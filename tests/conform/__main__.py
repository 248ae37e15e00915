"""`make conform SPECS=FOLDER`: everything the tests send, and every manifest, against published descriptions.

The descriptions are other people's and not in this repository. Of Slack's methods there is none to be had:
its SDK stands for it. Exit codes: 0 all conforms, 1 something does not, 2 a description is missing or the
tests themselves failed.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conform.descriptions import Fault, OpenApi, SlackManifests, SlackMethods

ROOT = Path(__file__).parents[2]
DISCORD, SLACK = "discord-openapi.json", "slack-manifest.schema.json"
CHAT, SERVICE = "chat-endpoint.openapi.yaml", "microvisualizer-v1.yaml"
#: The tests in which Threadline talks with whole simulated servers.
TESTS = ("tests/integration", "tests/faults", "tests/unit/test_manifests.py")


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """Something a description rejects and the real service takes: by patterns for the fault's three texts."""

    subject: str
    at: str
    why: str
    reason: str

    def explains(self, fault: Fault) -> bool:
        return all(
            re.fullmatch(pattern, text, re.DOTALL)
            for pattern, text in ((self.subject, fault.subject), (self.at, fault.at), (self.why, fault.why))
        )


_MESSAGES = r"(POST|PATCH) /(channels|webhooks|interactions)/.*"
_NUMBERS = "discord.py sends ids as numbers, which Discord takes; described as text"

FALSE_ALARMS = (
    FalseAlarm(_MESSAGES, r"(data\.)?message_reference", r".* is not valid under any .*", _NUMBERS),
    FalseAlarm(
        _MESSAGES,
        r"(data\.)?allowed_mentions",
        r"\{('(users|roles|parse)': \[[\d, ]*\](, )?)+\} is not .*",
        _NUMBERS,
    ),
    FalseAlarm(
        _MESSAGES,
        r"(data\.)?attachments\.\d+\.id",
        r"\d is not of type 'string'",
        "the number of an uploaded file, a number in the documentation too (developers/reference)",
    ),
    FalseAlarm(  # the same in a follow-up, whose description has three forms
        r"POST /webhooks/.*",
        "",
        r"\{.*'attachments': \[\{'id': \d,.* is not valid under any of the given schemas",
        "the number of an uploaded file, a number in the documentation too (developers/reference)",
    ),
    FalseAlarm(
        r"app\.json",
        "description",
        r".*is not of type 'object', 'null'",
        "a text by the documentation of PATCH /applications/@me (developers/resources/application)",
    ),
    FalseAlarm(
        r"oauth\.v2\.access|apps\.connections\.open",
        "client_secret|app_token",
        "the method needs this argument",
        "sent in the header, which is not written down",
    ),
)


@dataclass
class Findings:
    """What has been looked at, and what came of it."""

    looked_at: Counter[str] = field(default_factory=Counter)
    alarms: Counter[FalseAlarm] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def take(self, kind: str, faults: Iterable[Fault]) -> None:
        """Count one thing that was looked at, with what is wrong with it."""
        self.looked_at[kind] += 1
        for fault in faults:
            alarm = next((each for each in FALSE_ALARMS if each.explains(fault)), None)
            if alarm is None:
                self.faults[f"{kind}: {fault}"] += 1
            else:
                self.alarms[alarm] += 1

    def lines(self) -> Iterator[str]:
        """Yield the report."""
        yield from (f"{many:6} {kind}" for kind, many in sorted(self.looked_at.items()))
        yield from (
            f"{many:6} known false alarms: {alarm.subject} {alarm.at}: {alarm.reason}"
            for alarm, many in self.alarms.items()
        )
        yield from (f"FAULT {fault} ({many} times)" for fault, many in self.faults.items())
        yield f"{sum(self.looked_at.values())} looked at, {sum(self.faults.values())} faults."


def main(arguments: list[str]) -> int:
    """Run the check for a folder of descriptions; with a second argument, over a journal that is there."""
    specs = Path(arguments[0]) if arguments and arguments[0] else None
    missing = [
        name for name in (DISCORD, SLACK, CHAT, SERVICE) if specs is None or not (specs / name).is_file()
    ]
    if specs is None or missing:
        _say(f"Name a folder with {', '.join(missing)}: make conform SPECS=FOLDER")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(arguments[1]) if len(arguments) > 1 else Path(folder, "journal.jsonl")
        if len(arguments) == 1 and not _tests_pass(journal):
            _say("The tests fail: see to them first (make test).")
            return 2
        findings = _findings(specs, journal)
    for line in findings.lines():
        _say(line)
    return 1 if findings.faults else 0


def _tests_pass(journal: Path) -> bool:
    words = [sys.executable, "-m", "pytest", "-q", "--journal", str(journal), *TESTS]
    return subprocess.run(words, check=False, cwd=ROOT).returncode == 0  # noqa: S603 our own words


def _findings(specs: Path, journal: Path) -> Findings:
    findings = Findings()
    discord = OpenApi(specs / DISCORD)
    _look_at_calls(findings, journal, discord, [OpenApi(specs / CHAT), OpenApi(specs / SERVICE)])
    slack = SlackManifests(specs / SLACK)
    for path in sorted((ROOT / "manifests" / "slack").glob("*.json")):
        findings.take("manifests for Slack", slack.faults(path.name, _json(path)))
    for command in _json(ROOT / "manifests" / "discord" / "commands.json"):
        subject = f"commands.json, {command['name']}"
        findings.take(
            "commands for Discord", discord.faults_of("ApplicationCommandUpdateRequest", subject, command)
        )
    described = _json(ROOT / "manifests" / "discord" / "app.json")
    for ours in ("name", "intents"):  # set in the developer portal, and by the gateway's IDENTIFY
        del described[ours]
    findings.take(
        "descriptions for Discord", discord.faults_of("ApplicationFormPartial", "app.json", described)
    )
    return findings


def _look_at_calls(findings: Findings, journal: Path, discord: OpenApi, assistants: list[OpenApi]) -> None:
    slack = SlackMethods()
    for line in journal.read_text(encoding="utf-8").splitlines():
        call = json.loads(line)
        route, body = call["route"], call["json"]
        match call["to"]:
            case "discord":
                findings.take("calls of Discord", discord.faults(route, body))
            case "assistant" if route.endswith("/ai/chat"):
                for described in assistants:
                    findings.take(
                        "calls of the assistant (by both descriptions)", described.faults(route, body)
                    )
            case "assistant":
                findings.take("calls of the service", assistants[1].faults(route, body))
            case _:
                findings.take("calls of Slack (by its SDK)", slack.faults(route, body))


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
