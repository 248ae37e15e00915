"""What is said of workspaces' own keys fits where it is shown, and holds no more of one than its ending."""

from dataclasses import replace

import pytest

from bots.texts import accounts as said
from core.errors import KeyRefused, SealMissing, StoreUnavailable, ThreadlineError, Unreachable
from core.model import ProjectId
from core.services.filling import Field, Misfit, Unfit
from tests.fixtures.queued import account

SHOP, MEDIA = ProjectId("shop-demo-7f3k2"), ProjectId("media-demo-4p9x1")


def test_what_stands_in_forms_fits_both_platforms() -> None:
    assert all(len(said.TITLE.format(whole=whole)) <= 24 for whole in ("workspace", "server"))
    assert all(len(label) <= 45 for label in said.LABELS.values())
    assert all(len(hint) <= 100 for hint in said.HINTS.values())
    assert said.LABELS.keys() == said.HINTS.keys() == set(Field)
    assert len(said.keep_key(account())) <= 100
    assert max(map(len, (said.SUBMIT, said.SAVED, said.CLOSE))) <= 24


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SealMissing(), "THREADLINE_SECRET_KEY"),
        (StoreUnavailable(), "database"),
        (KeyRefused("status 401 · unauthorized"), "does not accept"),
        (Unreachable("no way"), "does not answer"),
    ],
)
def test_what_went_wrong_is_said_in_our_words_alone(error: ThreadlineError, words: str) -> None:
    (fault,) = said.faults(error).items()
    assert fault[0] is Field.KEY
    assert words in fault[1]
    assert fault[1].endswith("Nothing was changed.")
    assert str(error) not in fault[1]


def test_every_misfit_has_its_words() -> None:
    faults = dict(zip(Field, Misfit, strict=False))
    assert len(said.faults(Unfit(faults))) == len(Misfit)


def test_a_status_tells_the_ending_the_list_and_the_allowances() -> None:
    whole = replace(account(projects=[SHOP, MEDIA]), person=3, channel=40, waiting=500)
    told = said.told(whole, has_key=True, admin="Someone", whole="server")
    assert told == (
        "\nQuestions of this server are asked under its own API key (it ends in `a1b2`), about "
        "`shop-demo-7f3k2`, `media-demo-4p9x1` only, set by <@ana> on 2026-03-02. In an hour at most: 3 of "
        "one person, 40 in one channel. At most 500 may wait."
    )
    bare = replace(account(), ending="")
    assert "ends" not in said.told(bare, has_key=True, admin="Someone", whole="server")
    assert said.keep_key(bare) == "Leave empty to keep the key"
    assert said.told(None, has_key=True, admin="Someone", whole="server") == ""
    assert "Someone can set one" in said.told(None, has_key=False, admin="Someone", whole="server")


@pytest.mark.parametrize(("released", "words"), [(0, "on."), (1, "that waited is"), (7, "The 7 questions")])
def test_what_was_released_is_told(released: int, words: str) -> None:
    assert words in said.saved(account(), released=released, whole="server")
