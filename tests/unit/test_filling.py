"""The form of an account, read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import ProjectId
from core.services.accounting import MOST_PROJECTS, Wanted
from core.services.filling import Field, Misfit, Unfit, wanted

SHOP, MEDIA = ProjectId("shop-demo-7f3k2"), ProjectId("media-demo-4p9x1")


def test_an_empty_form_wants_nothing() -> None:
    assert wanted({}) == wanted(dict.fromkeys(Field, "  ")) == Wanted()


def test_all_fields_are_read_and_projects_named_twice_are_one() -> None:
    written = {
        "key": " a-key ",
        "projects": f"{SHOP},\n{MEDIA}; {SHOP}",
        "person": "1",
        "channel": " 20 ",
        "waiting": "1000000",
        "strange": "field",
    }
    assert wanted(written) == Wanted("a-key", (SHOP, MEDIA), 1, 20, 1_000_000)
    assert "a-key" not in repr(wanted(written))


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(Unfit) as told:
        wanted({"projects": f"{SHOP} Not_A_Project", "person": "0", "channel": "many", "waiting": "1000001"})
    assert told.value.faults == {
        Field.PROJECTS: Misfit.NO_PROJECT_ID,
        Field.PERSON: Misfit.NO_NUMBER,
        Field.CHANNEL: Misfit.NO_NUMBER,
        Field.WAITING: Misfit.NO_NUMBER,
    }


def test_a_list_has_its_end() -> None:
    many = [f"project-{number:04}" for number in range(MOST_PROJECTS + 1)]
    assert len(wanted({"projects": " ".join(many[1:])}).projects) == MOST_PROJECTS
    with pytest.raises(Unfit) as told:
        wanted({"projects": ",".join(many)})
    assert told.value.faults == {Field.PROJECTS: Misfit.TOO_MANY_PROJECTS}


@given(st.dictionaries(st.sampled_from([*Field]), st.text(max_size=50)))
def test_whatever_is_written_is_read_or_told_by_its_fields(written: dict[Field, str]) -> None:
    faults, found = set(), None
    try:
        found = wanted({field.value: text for field, text in written.items()})
    except Unfit as told:
        faults = set(told.faults)
    assert faults <= written.keys()
    assert found is None or found.key == (written.get(Field.KEY, "").strip() or None)
