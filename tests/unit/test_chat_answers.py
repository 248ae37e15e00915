"""What the endpoint's replies mean."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import (
    BrokenAnswer,
    CreditsSpent,
    EndpointMisplaced,
    KeyRefused,
    ProjectUnknown,
    QuestionRejected,
    RateLimited,
    ThreadlineError,
    Unavailable,
)
from core.project_api.answers import text_in
from core.project_api.replies import Reply, content_of

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
JSON = {"content-type": "application/json"}


def read(status: int, body: bytes, **headers: str) -> str:
    return text_in(content_of(Reply(status, {**JSON, **headers}, body), now=NOW))


def message(content: object = "orders", role: object = "assistant", **more: object) -> bytes:
    return json.dumps({"message": {"role": role, "content": content, **more}, **more}).encode()


def problem(code: object, **more: object) -> bytes:
    return json.dumps({"status": 400, "code": code, "message": "No", **more}).encode()


def meaning(status: int, body: bytes = b"", **headers: str) -> ThreadlineError:
    with pytest.raises(ThreadlineError) as error:
        read(status, body, **headers)
    assert error.value.__cause__ is None
    return error.value


def test_an_answer_is_the_assistants_words_and_more_fields_are_ignored() -> None:
    assert read(200, message(" **orders** and `web` \n", usage={"credits": 3})) == " **orders** and `web` \n"


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_may_be_called_so_in_any_way_http_allows(kind: str) -> None:
    assert read(200, message(), **{"content-type": kind}) == "orders"


def test_half_an_emoji_does_not_travel_on() -> None:
    assert read(200, rb'{"message":{"role":"assistant","content":"ok \ud83d \ud83d\ude00"}}') == "ok ? 😀"


BROKEN = {
    "empty": b"",
    "blank": message(" \n\t\u00a0"),
    "no text": message(None),
    "a number": message(7),
    "the user's role": message(role="user"),
    "no role": b'{"message":{"content":"orders"}}',
    "no message": b"{}",
    "a null message": b'{"message":null}',
    "a list": b"[]",
    "a string": b'"orders"',
    "html": b"<html>orders</html>",
    "cut short": message()[:-1],
    "two documents": message() + b"{}",
    "a key twice": b'{"message":{"role":"assistant","content":"a","content":"b"}}',
    "NaN": b'{"message":{"role":"assistant","content":"a"},"score":NaN}',
    "Infinity": b'{"message":{"role":"assistant","content":"a"},"score":-Infinity}',
    "Latin-1": b'{"message":{"role":"assistant","content":"\xfcber"}}',
    "UTF-16": message().decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + message(),
    "too deep a list": b"[" * 500_000 + b"]" * 500_000,
    "too deep an object": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "too long a number": b'{"a":' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_what_the_contract_does_not_allow_is_a_broken_answer(body: bytes) -> None:
    error = meaning(200, body)
    assert type(error) is BrokenAnswer
    assert error.__context__ is None or error.__suppress_context__  # it would hold the answer's text


@pytest.mark.parametrize("kind", ["", "text/html", "text/plain", "application/jsonp"])
def test_an_answer_must_say_that_it_is_json(kind: str) -> None:
    assert type(meaning(200, message(), **{"content-type": kind})) is BrokenAnswer


@pytest.mark.parametrize("status", [101, 201, 202, 204, 206])
def test_no_success_but_200_is_an_answer(status: int) -> None:
    assert type(meaning(status, message())) is BrokenAnswer


@pytest.mark.parametrize("status", [300, 301, 302, 304, 307, 308])
def test_a_redirect_means_that_the_address_is_wrong(status: int) -> None:
    assert (
        type(meaning(status, problem("rate_limited"), location="https://elsewhere.example"))
        is EndpointMisplaced
    )


CODES = {
    "rate_limited": RateLimited,
    "insufficient_ai_credits": CreditsSpent,
    "payment_required": CreditsSpent,
    "unauthorized": KeyRefused,
    "forbidden": KeyRefused,
    "project_not_found": ProjectUnknown,
    "not_found": ProjectUnknown,
    "validation_failed": QuestionRejected,
    "bad_request": QuestionRejected,
    "conflict": QuestionRejected,
    "internal_error": Unavailable,
}


@pytest.mark.parametrize("status", [400, 404, 418, 429, 500, 503])
@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_the_code_says_what_is_wrong_whatever_the_status(
    code: str, kind: type[ThreadlineError], status: int
) -> None:
    assert type(meaning(status, problem(code))) is kind


STATUSES = {
    400: QuestionRejected,
    401: KeyRefused,
    402: CreditsSpent,
    403: KeyRefused,
    405: QuestionRejected,
    408: Unavailable,
    409: QuestionRejected,
    413: QuestionRejected,
    422: QuestionRejected,
    429: RateLimited,
    500: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
    599: Unavailable,
}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", problem("a_new_one"), problem(7), b"[" * 500_000]
)
@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_without_a_known_code_the_status_says_it(
    status: int, kind: type[ThreadlineError], body: bytes
) -> None:
    assert type(meaning(status, body)) is kind


def test_a_404_is_about_the_project_only_if_the_assistant_says_so() -> None:
    assert type(meaning(404, problem("service_not_found"))) is ProjectUnknown
    for strange in (b"", b"<html>Not Found</html>", b'{"detail":"Not Found"}', problem(None)):
        assert type(meaning(404, strange)) is EndpointMisplaced


def wait(body: bytes = b"", **headers: str) -> timedelta | None:
    error = meaning(429, body, **headers)
    assert isinstance(error, RateLimited)
    return error.retry_after


def test_a_rate_limit_brings_the_longer_of_its_waits() -> None:
    limited = problem("rate_limited", retryAfter=60)
    assert wait(limited) == timedelta(seconds=60)
    assert wait(limited, **{"retry-after": "90"}) == timedelta(seconds=90)
    assert wait(limited, **{"retry-after": "Tue, 24 Nov 2026 12:00:30 GMT"}) == timedelta(seconds=60)
    assert wait(b"<html>", **{"retry-after": "5"}) == timedelta(seconds=5)
    assert wait(problem("rate_limited", retryAfter=True)) is None
    assert wait(b'{"code":"rate_limited","retryAfter":1e400}') == timedelta(days=3650)


VIOLATIONS: list[Any] = [
    {"field": "messages[0].content", "message": "is too long", "rejectedValue": "who calls billing?"},
    {"field": "messages", "message": None},
    "nonsense",
]


def test_the_operator_reads_what_the_service_found_wrong_but_never_the_question() -> None:
    body = problem("validation_failed", details="see\nbelow", violations=VIOLATIONS)
    told = str(meaning(400, body))
    assert told == "status 400 · validation_failed · No · see below · messages[0].content: is too long"
    assert "billing" not in str(meaning(400, problem("bad_request", violations="billing")))


def test_a_service_that_quotes_key_and_question_is_not_quoted_in_turn() -> None:
    body = problem("bad_request", details="key sk-12345 asked: Who calls\nbilling?")
    with pytest.raises(QuestionRejected) as error:
        content_of(Reply(400, JSON, body), now=NOW, unsaid=("sk-12345", "Who calls\nbilling? ", "as", ""))
    assert str(error.value) == "status 400 · bad_request · No · key […] asked: […]"


def test_what_the_operator_reads_is_bounded_and_can_be_written_down() -> None:
    told = str(meaning(400, problem("bad_request", details="\ud83d" + "x" * 5000)))
    assert len(told) == 500
    assert told.encode().endswith("…".encode())
