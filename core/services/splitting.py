"""Cuts an answer into messages, by its platform's adapter: whatever that does, what is paid for is kept."""

import asyncio
from collections.abc import Sequence, Set

import structlog

from core.model import Delivery, Remark
from core.ports import Poster

log = structlog.get_logger(__name__)

_PLAIN_CUT = 1_500
_SHORT = 2_000  # characters that are cut sooner than a thread is woken


async def split(poster: Poster, delivery: Delivery, answer: str, remarks: Set[Remark]) -> Sequence[str]:
    """Return an answer's messages, at least one; a long one is cut in a thread, where it holds nobody up."""
    try:
        short = len(answer) <= _SHORT
        cut = poster.split
        parts = cut(answer, remarks) if short else await asyncio.to_thread(cut, answer, remarks)
    except Exception:  # the answer is paid for: a bug of the adapter's must not cost it
        log.exception("answer not split", delivery=delivery.id)
        parts = [answer[at : at + _PLAIN_CUT] for at in range(0, len(answer), _PLAIN_CUT)]
    return parts or [answer]
