"""Every sentence the bots say. Plain text with `code`, which both Slack and Discord show as meant."""

from datetime import datetime

from bots.texts import accounts, notices
from core.model import Link, Mark, ProjectId
from core.services.linking import Linked

notice, remarks, mark = notices.notice, notices.remarks, notices.mark

HELP = (
    "Ask me about this channel's MicroVisualizer project: mention me with a question, then just go on "
    "asking in the thread. Each new mention in the channel starts a fresh conversation.\n"
    "• `/threadline link PROJECT` links this channel to a project; `/threadline link PROJECT workspace` "
    "makes it the default of the whole workspace\n"
    "• `/threadline unlink` takes this channel's link away; `/threadline unlink workspace` the default\n"
    "• `/threadline account` gives this workspace an API key of its own, and says which projects may be asked about; "
    "`/threadline account remove` takes the key away\n"
    "• `/threadline status` tells which project answers here\n"
    "In a thread, where commands do not work, use *Ask about this message* in a message's menu.\n"
    "Until a question of yours is answered you may edit or delete it, or write `stop` in its thread."
)
NOT_ALLOWED = (
    "Only workspace admins, and people whom the operator has put on the list in `THREADLINE_ADMINS`, can link "
    "projects and set API keys. Ask one of them to do this."
)
NAME_A_PROJECT = (
    "Which project? Write `/threadline link PROJECT`, for example `/threadline link my-project-a1b2c`."
)
BAD_PROJECT = (
    "`{project}` is not a project id: one has 8 to 60 characters, small letters, digits and hyphens, with no "
    "hyphen at either end. MicroVisualizer's API lists them: GET /v1/projects."
)
BAD_PLACE = "I do not know `{word}`: at the end there may only be `workspace`."
NOT_INSTALLED = (
    "I am not installed in this workspace (any more). Ask one of its admins to install me, then try again."
)
UNKNOWN_COMMAND = "I do not know `{word}`.\n" + HELP
ASK_TITLE = "Ask Threadline"
ASK_LABEL = "Your question about this message"
ASK_SUBMIT = "Ask"
ASK_CANCEL = "Cancel"
ASK_DEFAULT = "What does this mean for our services and topics?"
WORKSPACE = "workspace"
WORKSPACE_ADMIN = notices.WORKSPACE_ADMIN
STATUS_WORKING = "is looking at the project…"
STATUS_QUEUED = "is waiting; next try at {at}…"
STOP_BUTTON = "Stop"

# Discord. A command's description has at most 100 characters, a label 45.
GUILD = "server"
GUILD_ADMIN = "Someone who may manage this server"
DISCORD_HELP = (
    "Ask me about this channel's MicroVisualizer project: type `/ask`, or mention me with a question. I answer in a "
    "thread; go on there by mentioning me, replying to me, or with the button under my answer. Say `stop` there, and I let go of "
    "what you have asked and I have not answered yet.\n"
    "• `/ask` with `private` answers you alone; with `project`, about another project\n"
    "• `/threadline link` links this channel to a project; `everywhere` makes it the default of the whole server; "
    "`new_posts` has me answer each new post of a forum\n"
    "• `/threadline unlink` takes the link away; `/threadline status` tells which project answers here\n"
    "• `/threadline account` gives this server an API key of its own, and says which projects may be asked about; with "
    "`remove` it takes the key away\n"
    "• `/threadline answers` shows private answers that I could not send you\n"
    "To ask about somebody's message, use *Apps → Ask about this message* in its menu."
)
GUILD_NOT_ALLOWED = (
    "Only people who may manage this server, and those whom the operator has put on the list in `THREADLINE_ADMINS`, "
    "can link projects and set API keys. Ask one of them to do this. In direct messages, name a project with `/ask`."
)
DIRECT_NOT_LINKED = (
    "I do not know which project you mean. Name one: `/ask` has a field `project` for it. Whoever runs Threadline can set "
    "one for all direct messages; I keep your question for 24 hours, and will then answer it by myself."
)
DIRECT_NO_KEY = (
    "There is no API key for direct messages. Ask me in a server, or whoever runs Threadline to set `MICROVISUALIZER_API_KEY`; I keep "
    "your question for 24 hours, and will then answer it by myself."
)
ASK_ABOUT_COMMAND = "Ask the assistant of this channel's MicroVisualizer project"
ASK_QUESTION = "What would you like to know about the services and topics?"
ASK_PROJECT = "Another project than this channel's"
ASK_PRIVATE = "Only you see the answer"
ASK_ABOUT_MENU = "Ask about this message"
ASK_ABOUT_LABEL = "The message it is about"
QUESTION_LABEL = "Your question"
FOLLOW_UP = "Ask a follow-up"
THREADLINE_COMMAND = "Which project answers here, and more"
LINK_COMMAND = "Link this channel to a MicroVisualizer project"
LINK_PROJECT = "The project's name or id"
LINK_EVERYWHERE = "Make it the default of all channels without a link of their own"
LINK_POSTS = "In a forum: answer each new post, without a mention"
UNLINK_COMMAND = "Take this channel's link away"
UNLINK_EVERYWHERE = "Take the whole server's default away instead"
ACCOUNT_COMMAND = "Give this server an API key of its own, and say which projects may be asked about"
ACCOUNT_REMOVE = "Take this server's own API key away instead"
STATUS_COMMAND = "Tell which project answers here"
ANSWERS_COMMAND = "Show private answers that could not be sent to you"
HELP_COMMAND = "What you can do with Threadline"
THREAD_NAME = "Question"
NO_THREAD = "No thread: Discord would not open one."
NO_THREAD_PERMISSION = "No thread: I lack a permission in it or for it."
NO_THREAD_LOCKED = "The thread is locked, and I lack “Manage Threads”."
NO_THREAD_TOO_MANY = "No thread: this server has too many open ones."
NO_THREAD_GONE = "The thread is gone."
HOW_TO_GO_ON = "\n-# To go on: mention me, reply to me, or press the button."
GUILD_POST_REFUSED = (
    "You asked me something in {channel}, but I may not answer there: I lack the permission to write, or its thread is "
    "locked. Someone who may manage the server can change that; then please ask again."
)
WHOLE_ANSWER = "It is a long answer: here it is as a whole."
OLD_BUTTON = "This button no longer works. Mention me with your question, or use `/ask`."
NOT_STORED = "I could not take your question in just now: nothing was stored. Please ask again in a moment."
TOO_MANY_HERE = "As much has been asked here as may be in an hour, so I have not taken this in. Please ask it again later."
NOTHING_TO_ASK_ABOUT = "That message has no text that I could ask about."
POSTS_ARE_IN_FORUMS = "`new_posts` is for a forum: type the command inside one of its posts, without `everywhere`. Nothing was changed."
PROJECT_NOT_HERE = (
    "I may not ask about `{project}` for you: you can name projects that a channel of this server is linked to. Someone who "
    "may manage the server can link more, and ask about any."
)
DIRECT_STATUS = "Direct messages have no project of their own. Name one: `/ask` has a field `project` for it."
MARKED = {Mark.EDITED: "The question was edited since", Mark.DELETED: "The question was deleted"}
POSTS_NEED_INTENT = (
    "To answer posts without a mention I have to be able to read them: whoever runs Threadline has to set "
    "`DISCORD_MESSAGE_CONTENT`. Nothing was changed."
)
OUR_FAULT = "something unexpected happened, and is in the log"
STORE_AWAY = "my database is not available just now"
PLATFORM_AWAY = "the chat platform does not answer as it should just now"


def queued(shown_time: str) -> str:
    """Return the notice of a long wait; `shown_time` is the time of the next try as the platform shows it."""
    return f"I have to wait for MicroVisualizer. Your question is safe; I will try again at {shown_time}."


def away(shown_time: str) -> str:
    """Return the one notice of an outage; `shown_time` is until when a question is tried."""
    return (
        "MicroVisualizer does not answer just now. Your question is safe; I go on trying by myself, "
        f"until {shown_time} at the latest."
    )


def stopped(many: int) -> str:
    """Return what is said to who has pressed *Stop*: how many questions of theirs were let go."""
    if not many:
        return notices.NOTHING_TO_STOP
    return f"Stopped: I have let go of {'your question' if many == 1 else f'your {many} questions'} here."


def asks_about(who: str, question: str) -> str:
    """Return what is shown in the thread when someone asks by the message's menu."""
    return f"{who} asks about the message above: {question}"


def about_message(question: str, message: str) -> str:
    """Return the question, with the message it is about, as the assistant gets it."""
    return f"{question}\n\nIt is about this message:\n\n{message}"


def command_failed(why: str) -> str:
    """Return what is said when a command was not carried out."""
    return f"That did not work: {why.rstrip('.')}. Nothing was changed; please try again in a moment."


def linked(
    project: ProjectId, *, workspace: bool, released: int, posts: bool = False, whole: str = WORKSPACE
) -> str:
    """Return the confirmation of a link; `posts`: each new post is answered by itself."""
    place = f"This {whole}'s channels without a link of their own" if workspace else "This channel"
    verb = "now ask" if workspace else "now asks"
    waiting = {0: "", 1: " The question that waited is being answered."}
    more = waiting.get(released, f" The {released} questions that waited are being answered.")
    more += " I answer each new post here, without a mention." if posts else ""
    return f"{place} {verb} `{project}`.{more} Threads that have begun keep their project."


def unlinked(*, was_linked: bool, workspace: bool, whole: str = WORKSPACE) -> str:
    """Return the confirmation that a link is gone."""
    place = f"This {whole}" if workspace else "This channel"
    if not was_linked:
        return f"{place} had no link of its own."
    return f"{place}'s link is gone. Threads that have begun keep their project."


def status(found: Linked, *, admin: str = WORKSPACE_ADMIN, whole: str = WORKSPACE) -> str:
    """Return which project answers in a channel, and why; and under which key, unless that is the usual one."""
    key = accounts.told(found.account, has_key=found.has_key, admin=admin, whole=whole)
    return _answers(found, admin=admin, whole=whole) + key


def _answers(found: Linked, *, admin: str, whole: str) -> str:
    if found.channel is not None:
        return f"This channel asks `{found.channel.project}` ({_set_by(found.channel)})."
    if found.workspace is not None:
        return f"This channel asks `{found.workspace.project}`, the {whole}'s default ({_set_by(found.workspace)})."
    if found.default is not None:
        return f"This channel asks `{found.default}`, the default of this installation."
    return f"This channel has no project. {admin} can set one with `/threadline link PROJECT`."


def clock_time(at: datetime) -> str:
    """Return a time of day for where the platform cannot show the reader's own."""
    return f"{at:%H:%M} UTC"


def _set_by(link: Link) -> str:
    return f"linked {link.since:%Y-%m-%d}"


def asked(who: int, question: str, project: ProjectId | None = None) -> str:
    """Return what shows a question that was asked by a command, with its asker's id on Discord."""
    about = "" if project is None else f" about `{project}`"
    return f"<@{who}> asked{about}: {question}"


def no_thread(permission: str) -> str:
    """Return why an answer is not in a thread."""
    return f"No thread: I lack “{permission}” here."


def may_not_write(permission: str) -> str:
    """Return why a question is not even taken in."""
    return f"I may not write here: I lack the permission “{permission}”. Someone who may manage this server can give it."


def kept(many: int, *, at_once: int) -> str:
    """Return what stands above private answers that are handed over."""
    if not many:
        return "There is nothing that I could not send you."
    more = f" (the first {at_once}; type it again for more)" if many > at_once else ""
    return f"{many} private {'answer' if many == 1 else 'answers'}{more}:"
