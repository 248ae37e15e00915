"""Sends events and interactions to a Request URL, signed as by Slack. Retries are not decided here."""

import hashlib
import hmac
import json
from urllib.parse import urlencode

import aiohttp

from bots.demo.slack.carrying import ACK_WITHIN, Parcel, Receipt
from bots.demo.slack.records import Json, Transport
from bots.demo.tasks import within
from core.clock import Clock

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return X-Slack-Signature (docs.slack.dev/authentication/verifying-requests-from-slack)."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class SignedHttp:
    """Posts to one URL through one session, which it does not own."""

    def __init__(self, session: aiohttp.ClientSession, clock: Clock, secret: str) -> None:
        self._session = session
        self._clock = clock
        self._secret = secret
        self.url = ""
        """The app's Request URL; "" for none."""

    async def carry(self, parcel: Parcel) -> Receipt:
        """Make one attempt, waiting up to 3 seconds."""
        body, content_type = _encoded(parcel)
        headers = {"Content-Type": content_type}
        if parcel.retry_num:
            headers |= {
                "x-slack-retry-num": str(parcel.retry_num),
                "x-slack-retry-reason": parcel.retry_reason,
            }
        try:
            return await within(self._clock, ACK_WITHIN, self._post(body, headers))
        except TimeoutError:
            return Receipt(Transport.HTTP, failure="http_timeout")
        except aiohttp.ClientError:
            return Receipt(Transport.HTTP, failure="connection_failed")

    async def verify(self, challenge: str) -> bool:
        """Send `url_verification`; return whether the app echoed the challenge."""
        body = {"token": "verification-token", "challenge": challenge, "type": "url_verification"}
        receipt = await self.carry(Parcel("events_api", body))
        return challenge in {receipt.answer.get("challenge"), receipt.answer.get("text")}

    async def _post(self, body: bytes, headers: dict[str, str]) -> Receipt:
        timestamp = str(int(self._clock.now().timestamp()))
        signed = headers | {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp, body),
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        async with self._session.post(self.url, data=body, headers=signed, allow_redirects=False) as response:
            text = await response.text()
            answer = _answer(text, response.content_type)
            if 200 <= response.status < 300:
                return Receipt(Transport.HTTP, response.status, answer)
            no_retry = response.headers.get("x-slack-no-retry") == "1"
            return Receipt(Transport.HTTP, response.status, answer, "http_error", no_retry)


def _encoded(parcel: Parcel) -> tuple[bytes, str]:
    match parcel.kind:
        case "slash_commands":
            return urlencode(parcel.body).encode(), FORM_TYPE
        case "interactive":
            return urlencode({"payload": json.dumps(parcel.body)}).encode(), FORM_TYPE
        case _:
            return json.dumps(parcel.body).encode(), JSON_TYPE


def _answer(text: str, content_type: str) -> Json:
    if content_type != JSON_TYPE:
        return {"text": text} if text else {}
    try:
        parsed = json.loads(text or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
