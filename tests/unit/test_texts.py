"""Every sentence for people is there, whole, and says who can mend what is wrong."""

from datetime import UTC, datetime

import pytest

from bots import texts
from core.model import AuthorId, ChannelKey, Link, Notice, Platform, ProjectId, Reason, Remark, WorkspaceId
from core.services.linking import Linked

SHOP = ProjectId("shop-demo-7f3k2")
HERE = ChannelKey(Platform("slack"), WorkspaceId("T1"), "C1")
REFERENCE = "01a2b3"

WHO_CAN_FIX = {
    Reason.NOT_LINKED: "workspace admin",
    Reason.KEY_REFUSED: "Whoever runs Threadline",
    Reason.PROJECT_UNKNOWN: "workspace admin",
    Reason.CREDITS_SPENT: "Whoever manages its plan",
    Reason.REJECTED: "whoever runs Threadline",
    Reason.MISPLACED: "Whoever runs Threadline",
    Reason.WAIT_TOO_LONG: "whoever manages your plan",
    Reason.POST_REFUSED: "Invite me",
}


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("project", [None, SHOP])
def test_every_reason_has_words_without_holes(reason: Reason, project: ProjectId | None) -> None:
    said = texts.notice(Notice(reason, project), REFERENCE)
    assert len(said) > 20
    assert not set("{}") & set(said)
    assert "None" not in said
    assert WHO_CAN_FIX.get(reason, "") in said


@pytest.mark.parametrize("reason", [Reason.KEY_REFUSED, Reason.GAVE_UP, Reason.POST_REFUSED])
def test_what_an_operator_may_have_to_look_up_has_a_reference(reason: Reason) -> None:
    assert REFERENCE in texts.notice(Notice(reason), REFERENCE)


@pytest.mark.parametrize("reason", [Reason.EMPTY, Reason.NOT_LINKED, Reason.TOO_MANY])
def test_hints_have_none(reason: Reason) -> None:
    assert REFERENCE not in texts.notice(Notice(reason), REFERENCE)


def test_an_unknown_project_is_named() -> None:
    assert f"`{SHOP}`" in texts.notice(Notice(Reason.PROJECT_UNKNOWN, SHOP), REFERENCE)


@pytest.mark.parametrize("remark", Remark)
def test_every_remark_has_words(remark: Remark) -> None:
    said = texts.remarks([remark])
    assert said.startswith("_")
    assert said.endswith("_")


def test_remarks_stand_one_below_the_other_and_nothing_is_said_for_none() -> None:
    assert texts.remarks([]) == ""
    assert texts.remarks(set(Remark)).count("\n") == len(Remark) - 1


def test_a_link_is_confirmed_with_what_it_set_free() -> None:
    assert "This channel now asks `shop-demo-7f3k2`. Threads" in texts.linked(
        SHOP, workspace=False, released=0
    )
    assert "The question that waited" in texts.linked(SHOP, workspace=False, released=1)
    assert "The 3 questions" in texts.linked(SHOP, workspace=True, released=3)


def test_unlinking_says_whether_there_was_a_link() -> None:
    assert "had no link" in texts.unlinked(was_linked=False, workspace=True)
    assert "link is gone" in texts.unlinked(was_linked=True, workspace=False)


def test_the_status_says_which_link_counts() -> None:
    link = Link(HERE, SHOP, AuthorId("U1"), datetime(2026, 3, 2, tzinfo=UTC))
    assert "(linked 2026-03-02)" in texts.status(Linked(link, None, None))
    assert "the workspace's default" in texts.status(Linked(None, link, None))
    assert "this installation" in texts.status(Linked(None, None, SHOP))
    assert "no project" in texts.status(Linked(None, None, None))


@pytest.mark.parametrize("why", ["Slack refused (user_not_found)", "The store is away."])
def test_a_failed_command_is_told_in_whole_sentences(why: str) -> None:
    said = texts.command_failed(why)
    assert f"{why.rstrip('.')}. Nothing was changed" in said
