"""Row 43: a channel gets another project, or none, while questions about the first are under way."""

import re
from dataclasses import replace

import pytest

from bots.demo.assistant.faults import hold
from tests.fixtures.walk import SHOP, Walk

MEDIA = "media-demo-4p9x1"


async def _command(town: Walk, words: str) -> None:
    assert (await town.workspace.command(town.ana, town.general, "/threadline", words)).status == 200


def _projects(town: Walk) -> dict[str, str]:
    """Return which project each question was sent to, by its letter."""
    asked = ((re.search(r"\b([A-D]): ", call.messages[-1][1]), call) for call in town.assistant.journal)
    return {found[1]: call.project for found, call in asked if found is not None}


@pytest.mark.parametrize("change", [f"link {MEDIA}", "unlink"], ids=["relinked", "unlinked"])
async def test_row_43_what_is_under_way_stays_with_its_project_and_what_begins_after_does_not(
    town: Walk, change: str
) -> None:
    town.settings = replace(town.settings, default_project=None)
    held = hold()
    town.assistant.faults.add(held)
    async with town.run():
        await _command(town, f"link {SHOP}")
        await town.workspace.until(lambda: town.sql("SELECT project FROM links") == [(SHOP,)])
        asked = await town.mention("A: who consumes order.created?")
        await town.assistant.wait_for_calls(1)
        await town.workspace.say(town.ben, town.general, "B: and who owns it?", thread=asked)
        await town.acknowledged()
        await _command(town, change)
        await town.workspace.until(lambda: town.sql("SELECT project FROM links") != [(SHOP,)])
        after = await town.mention("C: who owns billing?")
        await town.answers(after)
        held.release()
        await town.answers(asked, 2)
        await town.workspace.say(town.ben, town.general, "D: and who publishes it?", thread=asked)
        await town.answers(asked, 3)
    later = {"C": MEDIA} if change != "unlink" else {}
    assert _projects(town) == {"A": SHOP, "B": SHOP, "D": SHOP} | later
    assert "billing" in town.posted(asked)[0]
    bound = dict(town.sql("SELECT thread, project FROM conversations"))
    assert bound == {asked: SHOP, after: later.get("C")}
    assert all(
        project == bound[thread] for thread, project in town.sql("SELECT thread, project FROM deliveries")
    )
