"""Rows 38 and 39: threads without end, and texts that break what handles them carelessly."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from bots.demo.assistant.faults import Fault, not_json
from tests.faults.rows import Note
from tests.fixtures.guild import guild_walk
from tests.fixtures.walk import Walk

TURNS, LETTERS = 500, 4_200  #: of each, as `_lengthen` writes them
BUDGET = 60_000  #: characters of history that are sent
SLACK_MOST, DISCORD_MOST = 12_000, 2_000  #: characters of one message

WOMAN = "\U0001f469\u200d\U0001f4bb"


def _odd(size: int) -> dict[str, str]:
    """Return answers that try what shows them, some of them about `size` characters long."""
    lines = "\n".join(f"line_{number} = {number}" for number in range(size // 14))
    return {
        "right to left": "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd \u2067x\u2069 ends here",
        "joined": f"{WOMAN * 30} and \U0001f1e8\U0001f1ed and e\u0301 ends here",
        "lone surrogate": "half a sign \ud83d and the other \udc69 ends here",
        "nul": "be\x00fore \x01\x08\x1b[31m\x7f ends here",
        "letters": "x" * size + " ends here",
        "emoji at every cut": WOMAN * (size // 3) + " ends here",
        "accents without end": "a" + "\u0301" * size + " ends here",
        "fence across parts": f"```python\n{lines}\n```\nends here",
        "fence never closed": "~~~\n" + "word " * (size // 5) + "ends here",
        "fences in fences": "````md\n```py\n" + "code = 1\n" * (size // 9) + "```\n````\nends here",
        "one word": "https://example.com/" + "a" * size + " ends here",
        "pings": "<!channel> @everyone @here <@&1> <@U0USER0001> <@1> ends here",
    }


ODD, SMALLER = _odd(20_000), _odd(5_000)  # Discord lets five messages through in five seconds


async def test_row_38_of_500_turns_and_2_mb_the_first_and_the_newest_whole_ones_are_sent_and_it_is_said(
    town: Walk, record_property: Note
) -> None:
    async with town.run():
        ts = await town.mention("the very first: who owns billing?")
        await town.answers(ts)
        _lengthen(town)
        begun = town.clock.monotonic()
        await town.workspace.say(town.ana, town.general, "the newest: and who owns it?", thread=ts)
        await town.answers(ts, 2)
        took = town.clock.monotonic() - begun
        await town.workspace.say(town.ana, town.general, "and once more?", thread=ts)
        await town.answers(ts, 3)
    sent = [content for _, content in town.assistant.journal[1].messages]
    roles = [role for role, _ in town.assistant.journal[1].messages]
    assert sum(map(len, sent)) <= BUDGET
    assert sent[0] == "the very first: who owns billing?"
    assert sent[-1] == "the newest: and who owns it?"
    numbers = [int(one.split()[1]) for one in sent[1:-1]]
    assert numbers == [*range(TURNS - len(numbers), TURNS)]
    assert all(len(one) > LETTERS for one in sent[1:-1])  # whole turns
    assert sum(map(len, sent)) + 2 * (LETTERS + 20) > BUDGET  # as many as fit
    assert roles[1] == roles[-1] == "user"
    said = ["has grown long" in text for text in town.posted(ts)]
    assert said == [False, True, False]
    record_property("row 38: turns stored, sent, s to the answer", (TURNS, len(sent), round(took, 2)))


def _lengthen(town: Walk) -> None:
    """Write the turns of a very long thread behind its first question and answer."""
    town.sql(
        """
        WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 499)
        INSERT INTO turns (conversation_id, delivery_id, asked_at, role, author, content)
        SELECT conversation_id, delivery_id, asked_at,
            iif(i % 2, 'assistant', 'user'), iif(i % 2, NULL, author),
            'turn ' || i || ' ' || hex(zeroblob(2100))
        FROM n, (SELECT * FROM turns WHERE role = 'user' LIMIT 1)
        """
    )


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD.keys())
async def test_row_39_any_answer_is_shown_whole_in_slack_in_messages_it_takes(
    town: Walk, answer: str
) -> None:
    town.assistant.faults.add(_saying(answer))
    async with town.run():
        ts = await town.mention("tell me all")
        async with asyncio.timeout(20):
            await town.workspace.until(lambda: town.posted(ts) and "ends here" in town.posted(ts)[-1])
    assert town.states() == ["done"]
    assert {call.outcome for call in town.calls("chat.postMessage")} == {"ok"}
    assert town.workspace.pings == []
    _check(town.posted(ts), SLACK_MOST, answer)


@pytest.mark.parametrize("answer", SMALLER.values(), ids=SMALLER.keys())
async def test_row_39_any_answer_is_shown_whole_in_discord_in_messages_it_takes(
    tmp_path: Path, answer: str
) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(_saying(answer))
        async with town.run():
            thread = await town.thread(await town.mention("tell me all"))
            await town.world.until(
                lambda: town.said(thread) and "ends here" in town.said(thread)[-1].content, 20
            )
        assert town.states() == ["done"]
        _check([one.content for one in town.said(thread)], DISCORD_MOST, answer)


def _saying(answer: str) -> Fault:
    """Return a reply with any content, also such as only JSON's escapes can carry."""
    return not_json(json.dumps({"message": {"role": "assistant", "content": answer}}).encode())


def _check(shown: list[str], most: int, answer: str) -> None:
    """Each message is short enough, closes its fences, and can be encoded; together they are the answer."""
    whole = "\n".join(shown)
    assert max(map(len, shown)) <= most
    assert whole.encode()
    assert "\x00" not in whole
    assert [one[-200:] for one in shown if _leaves_code_open(one)] == []
    for mark in ("line_", "word", WOMAN, "code = 1"):
        assert whole.count(mark) == answer.count(mark)


def _leaves_code_open(text: str) -> bool:
    """Tell whether a fence is not closed by one as long as itself (CommonMark 0.31, 4.5)."""
    fence = ""
    for line in text.splitlines():
        found = re.match(r" {0,3}(`{3,}|~{3,})(.*)$", line)
        if found is None:
            continue
        if not fence:
            fence = found[1]
        elif found[1].startswith(fence) and not found[2].strip():
            fence = ""
    return bool(fence)
