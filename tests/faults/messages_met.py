"""Every toxic that a call which posts a message may meet, by name, and how often the message is sent then."""

from collections.abc import Collection

import pytest

from tests.faults import toxics

TOXICS: dict[str, toxics.Toxic] = {
    "latency": toxics.Latency(0.05),
    "sliced": toxics.Sliced(7),
    "huge": toxics.Huge(),
    "wrong type": toxics.WrongType(),
    "silence": toxics.Silence(),
    "silence after": toxics.Silence(done=True),
    "reset before": toxics.ResetBefore(),
    "reset after": toxics.ResetAfter(),
    "truncated": toxics.Truncated(),
    "drip": toxics.Drip(),
    "endless headers": toxics.EndlessHeaders(size=5000),
    "endless headers, slowly": toxics.EndlessHeaders(1.0),
    "gzip bomb": toxics.Bomb("gzip", 64),
    "deflate bomb": toxics.Bomb("deflate", 64),
    "wrong json": toxics.WrongJson,
    "wrong shape": toxics.WrongShape,
    "502": toxics.Html502,
    "502 after": toxics.Html502After,
    "204": toxics.NoContent204,
    "500 after": toxics.Http500After,
}


def every_toxic(*, sent_again: Collection[str]) -> pytest.MarkDecorator:
    """Return the parameters `toxic` and `sent`: twice after those named, once after all others."""
    assert TOXICS.keys() >= set(sent_again)
    sent = [(toxic, 2 if name in sent_again else 1) for name, toxic in TOXICS.items()]
    return pytest.mark.parametrize(("toxic", "sent"), sent, ids=TOXICS.keys())
