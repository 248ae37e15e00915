"""The sentences of notices, remarks and marks: what is said in place of an answer, and beside one."""

from collections.abc import Collection

from core.model import Mark, Notice, Reason, Remark

WORKSPACE_ADMIN = "A workspace admin"

NOTHING_TO_STOP = "There is nothing of yours here that waits for an answer."

_NOTICES = {
    Reason.NOT_LINKED: "This channel has no project yet. {admin} can set one with "
    "`/threadline link PROJECT`; I will then answer your question by myself. I keep it for 24 hours.",
    Reason.LINK_EXPIRED: "Nobody linked this channel to a project within 24 hours, so I have let this question "
    "go. Link one with `/threadline link PROJECT` and ask again.",
    Reason.NO_KEY: "There is no MicroVisualizer API key to ask with here yet. {admin} can set one with `/threadline account`; I will "
    "then answer your question by myself. I keep it for 24 hours.",
    Reason.NO_KEY_IN_TIME: "Nobody set an API key here within 24 hours, so I have let this question go. Set one with "
    "`/threadline account` and ask again.",
    Reason.KEY_REMOVED: "The API key was taken away before I had asked your question, so I have let it go. {admin} can set one with "
    "`/threadline account`; then please ask again.",
    Reason.NOT_ALLOWED: "This is about a project{project} that is not on the list of those that may be asked about here. {admin} "
    "can link another with `/threadline link PROJECT`, for new threads, or add it to the list with `/threadline account`; then please "
    "ask again.",
    Reason.EMPTY: "Yes? Ask me about the project's services, messaging topics and how they connect, for example: "
    "“Who consumes order.created?”",
    Reason.ONLY_FILES: "I cannot read attachments or pictures. Please write your question as text.",
    Reason.TOO_LONG: "That question is too long for me. Please shorten it and ask again.",
    Reason.UNREADABLE: "I was not shown the text of your message. Mention me myself, not a role, or use `/ask`.",
    Reason.OTHER_PROJECT: "This thread is about another project{project}, and keeps it. Ask about yours in the channel, or "
    "in a new thread.",
    Reason.EXTERNAL: "This channel is shared with another organisation, so I do not answer here: what I know is "
    "for your own people only.",
    Reason.TOO_MANY: "This thread has had its share of answers for one hour, so I pause here. Start a new thread, or "
    "go on later.",
    Reason.PERSON_SPENT: "You have asked as many questions as one person may in an hour here, so I have not taken this one. "
    "Please ask it again a little later. Whoever runs Threadline sets that allowance.",
    Reason.CHANNEL_SPENT: "This channel has had as many questions as it may in an hour, so I have not taken this one. Please ask it "
    "again a little later. Whoever runs Threadline sets that allowance.",
    Reason.QUEUE_FULL: "As many questions of this workspace wait as I can keep, so I have not taken this one. Please ask it again when "
    "those are answered.",
    Reason.STOPPED: "Stopped. What you had asked here and was not answered yet, I have let go.",
    Reason.NOTHING_TO_STOP: NOTHING_TO_STOP,
    Reason.KEY_REFUSED: "MicroVisualizer does not accept Threadline's API key{project}. Whoever runs Threadline has "
    "to set a valid `MICROVISUALIZER_API_KEY`; then please ask again.",
    Reason.OWN_KEY_REFUSED: "MicroVisualizer does not accept the API key that was set here{project}. {admin} has to set a valid one "
    "with `/threadline account`; then please ask again.",
    Reason.PROJECT_UNKNOWN: "MicroVisualizer does not know the project this thread asks{project}. {admin} can link the right one with "
    "`/threadline link PROJECT`; then ask in a new thread.",
    Reason.CREDITS_SPENT: "Your organisation has no AI credits left at MicroVisualizer. Whoever manages its plan "
    "there can add some; then please ask again.",
    Reason.REJECTED: "MicroVisualizer would not take this question{project}. Try to put it differently; if that "
    "does not help, show the reference to whoever runs Threadline.",
    Reason.MISPLACED: "Threadline does not find MicroVisualizer at its configured address. Whoever runs Threadline "
    "has to correct `MICROVISUALIZER_API_URL`; then please ask again.",
    Reason.GAVE_UP: "I could not get an answer from MicroVisualizer in time, so I have let this question go. "
    "Please ask again later.",
    Reason.MAYBE_CHARGED: "MicroVisualizer took this question twice and never replied. As each try may cost AI "
    "credits, I have stopped. Please ask again later.",
    Reason.WAIT_TOO_LONG: "MicroVisualizer asks us to wait for more than a day, so I have let this question go. "
    "Please ask again tomorrow, or ask whoever manages your plan there about its limits.",
    Reason.POST_REFUSED: "You asked me something, but I may not write in that conversation. Invite me to the "
    "channel, or unarchive it, and ask again.",
}
_WITH_REFERENCE = frozenset(_NOTICES) - {
    Reason.NOT_LINKED,
    Reason.LINK_EXPIRED,
    Reason.NO_KEY,
    Reason.NO_KEY_IN_TIME,
    Reason.NOT_ALLOWED,
    Reason.EMPTY,
    Reason.ONLY_FILES,
    Reason.TOO_LONG,
    Reason.UNREADABLE,
    Reason.OTHER_PROJECT,
    Reason.EXTERNAL,
    Reason.TOO_MANY,
    Reason.PERSON_SPENT,
    Reason.CHANNEL_SPENT,
    Reason.QUEUE_FULL,
    Reason.STOPPED,
    Reason.NOTHING_TO_STOP,
}
_REMARKS = {
    Remark.FILES_UNREAD: "I cannot read attachments or pictures; this answers your text alone.",
    Remark.OLDER_TURNS_LEFT_OUT: "This thread has grown long: from here on I remember its first question and the "
    "newest ones, and leave out those between.",
}


_MARKS = {
    Mark.EDITED: "The question was edited after it was asked; this answers its earlier text. Ask again for the new one.",
    Mark.DELETED: "The question was deleted.",
}


def mark(made: Mark) -> str:
    """Return what an answer says of what became of its question, as Markdown."""
    return f"_{_MARKS[made]}_"


def notice(told: Notice, reference: str, *, admin: str = WORKSPACE_ADMIN) -> str:
    """Return a notice's words; `reference` lets an operator find the question in the log."""
    project = "" if told.project is None else f" (project `{told.project}`)"
    words = _NOTICES[told.reason].format(project=project, admin=admin)
    return f"{words} (Reference: `{reference}`)" if told.reason in _WITH_REFERENCE else words


def remarks(made: Collection[Remark]) -> str:
    """Return what is said beside an answer, as Markdown; empty for nothing."""
    return "\n".join(f"_{_REMARKS[remark]}_" for remark in sorted(made))
