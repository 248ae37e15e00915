"""What Discord answers when it will not do something: status, code and sentence. Nothing decides here.

Codes: discord.com/developers/docs/topics/opcodes-and-status-codes#json.
"""

from typing import Any

from bots.demo.discord.records import Json

_KNOWN: dict[int, tuple[int, str]] = {
    10002: (404, "Unknown Application"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50033: (400, "Invalid Recipient(s)"),
    50068: (400, "Invalid message type"),
    50083: (400, "Thread is archived"),
    160002: (400, "Cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
    160005: (403, "Thread is locked"),
    160006: (400, "Maximum number of active threads reached"),
}


class Refused(Exception):
    """The call is answered with a JSON code; the sentence and status are Discord's for that code."""

    def __init__(self, code: int, *, status: int = 0, message: str = "", errors: Json | None = None) -> None:
        known_status, known_message = _KNOWN.get(code, (400, "Invalid Form Body"))
        self.code = code
        self.status = status or known_status
        self.message = message or known_message
        self.errors = errors
        super().__init__(f"{self.status} ({code}): {self.message}")

    def body(self) -> Json:
        """Return the answer's JSON."""
        body: Json = {"message": self.message, "code": self.code}
        return body if self.errors is None else body | {"errors": self.errors}


def unauthorized() -> Refused:
    """Return the refusal of a wrong or missing bot token."""
    return Refused(0, status=401, message="401: Unauthorized")


def not_found() -> Refused:
    """Return the refusal of a path Discord does not have."""
    return Refused(0, status=404, message="404: Not Found")


def invalid(*path: str | int, code: str, message: str) -> Refused:
    """Return the refusal of a field at a path, with Discord's tree of errors.

    `invalid("content", code="BASE_TYPE_MAX_LENGTH", message="…")` becomes
    `{"code": 50035, "errors": {"content": {"_errors": [{"code": …, "message": …}]}}}`.
    """
    tree: Any = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(path):
        tree = {str(name): tree}
    return Refused(50035, errors=tree)


def too_long(*path: str | int, most: int) -> Refused:
    """Return the refusal of a text over its limit."""
    return invalid(*path, code="BASE_TYPE_MAX_LENGTH", message=f"Must be {most} or fewer in length.")


def bad_length(*path: str | int, least: int, most: int) -> Refused:
    """Return the refusal of a text or list outside its bounds."""
    message = f"Must be between {least} and {most} in length."
    return invalid(*path, code="BASE_TYPE_BAD_LENGTH", message=message)


def required(*path: str | int) -> Refused:
    """Return the refusal of a field that is not there."""
    return invalid(*path, code="BASE_TYPE_REQUIRED", message="This field is required")


def bad_choice(*path: str | int, choices: str) -> Refused:
    """Return the refusal of a value that is not one of Discord's."""
    return invalid(*path, code="BASE_TYPE_CHOICES", message=f"Value must be one of {{{choices}}}.")
