"""Which turns are sent."""

from hypothesis import given
from hypothesis import strategies as st

from core.history import beyond, speakers, window, with_names
from core.model import AuthorId, Role, Turn

ANA, BEN = AuthorId("ana"), AuthorId("ben")


def _person(text: str, author: AuthorId = ANA) -> Turn:
    return Turn(Role.USER, author, text)


def _answer(text: str) -> Turn:
    return Turn(Role.ASSISTANT, None, text)


def test_all_turns_are_sent_while_they_fit() -> None:
    turns = [_person("a" * 10), _answer("b" * 10), _person("c" * 10)]
    assert window(turns, 30).turns == turns
    assert not window(turns, 30).trimmed


def test_the_first_question_and_the_newest_whole_turns_are_kept() -> None:
    turns = [
        _person("first"),
        _answer("x" * 50),
        _person("y" * 50),
        _answer("z" * 10),
        _person("w"),
        _answer("v"),
    ]
    chosen = window([*turns, _person("last")], 20)
    assert [turn.text for turn in chosen.turns] == ["first", "w", "v", "last"]
    assert chosen.trimmed


def test_a_first_question_that_does_not_fit_is_left_out() -> None:
    chosen = window([_person("f" * 50), _answer("x"), _person("y"), _answer("z"), _person("last")], 10)
    assert [turn.text for turn in chosen.turns] == ["y", "z", "last"]


def test_a_newest_turn_over_the_budget_is_sent_all_the_same() -> None:
    assert window([_person("x" * 50)], 10).turns == [_person("x" * 50)]
    assert not window([_person("x" * 50)], 10).trimmed


def test_one_speaker_is_not_named_and_several_are() -> None:
    alone = [_person("one"), _answer("a"), _person("two")]
    assert with_names(alone, [ANA], {ANA: "Ana"}) == alone
    both = [_person("one"), _answer("a"), _person("two", BEN)]
    assert speakers(both) == (ANA, BEN)
    named = with_names(both, [ANA, BEN], {BEN: "Ben"})
    assert [turn.text for turn in named] == ["Speaker 1: one", "a", "Ben: two"]


def test_who_spoke_in_turns_that_are_left_out_counts_among_the_people() -> None:
    named = with_names([_person("two", BEN)], [ANA, BEN], {})
    assert [turn.text for turn in named] == ["Speaker 2: two"]


_TURNS = st.lists(
    st.tuples(st.text(max_size=30), st.text(max_size=30)).map(lambda two: [_person(two[0]), _answer(two[1])]),
    max_size=8,
).map(lambda pairs: [turn for pair in pairs for turn in pair])


@given(_TURNS, st.text(max_size=30), st.integers(0, 200))
def test_the_window_is_an_ordered_part_of_the_turns_that_ends_with_the_newest(
    turns: list[Turn], newest: str, budget: int
) -> None:
    everything = [*turns, _person(newest)]
    chosen = window(everything, budget)
    left = iter(everything)
    assert all(any(turn is other for other in left) for turn in chosen.turns)
    assert chosen.turns[-1] is everything[-1]
    assert chosen.turns[0].role is Role.USER
    assert sum(len(turn.text) for turn in chosen.turns) <= max(budget, len(newest))
    assert chosen.trimmed == (len(chosen.turns) < len(everything))


@given(_TURNS, st.text(max_size=30), st.integers(0, 200))
def test_the_window_of_no_more_turns_than_it_needs_is_the_window_of_all(
    turns: list[Turn], newest: str, budget: int
) -> None:
    everything = [*turns, _person(newest)]
    needed = beyond(everything[::-1], budget)
    enough = (
        everything if needed in {None, len(everything)} else [everything[0], *everything[-(needed or 0) :]]
    )
    assert window(enough, budget) == window(everything, budget)
