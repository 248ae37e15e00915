"""What became of each question, in a line: to be looked into where something is wrong."""

from collections.abc import Iterator

from tests.faults.fleet.records import Asked, Called, Posted, Seen, Sent


def stories(seen: Seen) -> Iterator[str]:
    """Yield a line for each question, kill and absence of the database: in seconds from the first."""
    began = min((one.at for one in seen.asked.values()), default=0.0)
    posts, calls = seen.posts(), seen.calls()

    def since(at: float | None) -> str:
        return "–" if at is None else f"{at - began:.2f}"

    def told(one: Sent | Called | Posted) -> str:
        match one:
            case Sent():
                end = "taken" if one.taken else "refused"
                return f"sent {one.life} {since(one.at)} {since(one.ended)} {end}"
            case Called():
                wait = "" if one.pause is None else f" 429 {one.pause:g}"
                return f"called by {one.life} {since(one.at)} {since(one.ended)}{wait}"
            case Posted():
                return f"posted by {one.life} {since(one.at)}"

    def of(asked: Asked) -> str:
        happened: list[Sent | Called | Posted] = [
            *asked.sent,
            *calls.get(asked.marker, ()),
            *posts.get(asked.marker, ()),
        ]
        said = "; ".join(told(one) for one in happened)
        where = f"{asked.thread.workspace.team} {asked.thread.root}"
        return f"{asked.marker} {where} asked {since(asked.at)}: {said}"

    yield from map(of, seen.asked.values())
    yield from (f"{one.life} killed {since(one.at)}" for one in seen.killed)
    yield from (f"database away {since(one.since)} {since(one.until)}" for one in seen.away)
