"""What every store promises of seats: one holder each, who knows when it is not theirs any more."""

from core.model import HolderId, SeatName
from core.ports import Transact, UnitOfWork
from tests.fixtures.queued import at

DOOR, WINDOW = SeatName("door"), SeatName("window")
ANNE, BERT = HolderId("anne"), HolderId("bert")


async def test_the_first_free_seat_is_given_and_a_taken_one_is_not(begin: Transact) -> None:
    first = await begin(lambda uow: uow.seats.take([DOOR, WINDOW], ANNE, at(0), at(10)))
    second = await begin(lambda uow: uow.seats.take([DOOR, WINDOW], BERT, at(1), at(11)))
    assert first is not None
    assert (first.name, first.holder, first.fence, first.since, first.until) == (DOOR, ANNE, 1, at(0), at(10))
    assert second is not None
    assert (second.name, second.holder) == (WINDOW, BERT)
    assert await begin(lambda uow: uow.seats.take([DOOR, WINDOW], ANNE, at(2), at(12))) is None
    assert await begin(lambda uow: uow.seats.held(at(2))) == [first, second]


async def test_a_seat_whose_lease_has_passed_is_taken_over_and_its_former_holder_learns_it(
    begin: Transact,
) -> None:
    def story(uow: UnitOfWork) -> tuple[object, ...]:
        former = uow.seats.take([DOOR], ANNE, at(0), at(10))
        early = uow.seats.take([DOOR], BERT, at(9), at(19))
        latter = uow.seats.take([DOOR], BERT, at(10), at(20))
        assert former is not None
        assert latter is not None
        kept = list(uow.seats.renew([former], at(30)))
        uow.seats.release([former])
        return early, latter.fence, kept, uow.seats.held(at(15)) == [latter], uow.seats.held(at(20))

    assert await begin(story) == (None, 2, [], True, [])


async def test_a_renewed_seat_is_kept_and_one_given_back_is_free_at_once(begin: Transact) -> None:
    def story(uow: UnitOfWork) -> tuple[object, ...]:
        seat = uow.seats.take([DOOR], ANNE, at(0), at(10))
        assert seat is not None
        kept = list(uow.seats.renew([seat], at(30)))
        late = uow.seats.take([DOOR], BERT, at(29), at(39))
        uow.seats.release([seat])
        after = uow.seats.take([DOOR], BERT, at(5), at(15))
        return kept, late, after is not None

    assert await begin(story) == ([DOOR], None, True)


async def test_nothing_is_renewed_or_given_back_where_nothing_is_held(begin: Transact) -> None:
    def story(uow: UnitOfWork) -> tuple[object, ...]:
        uow.seats.release([])
        return (
            list(uow.seats.renew([], at(30))),
            uow.seats.take([], ANNE, at(0), at(10)),
            uow.seats.held(at(0)),
        )

    assert await begin(story) == ([], None, [])
