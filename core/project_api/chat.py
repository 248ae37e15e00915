"""Asks the chat endpoint over HTTP: one conversation in, one answer or named error out. It never retries."""

import json
from collections.abc import Sequence

from core.clock import Clock
from core.model import ProjectId, Turn, project_id
from core.project_api.answers import text_in
from core.project_api.line import Line


class HttpChatApi(Line):
    """One API key's way to the assistant: a `ChatApi` that makes at most `concurrency` calls at once."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        concurrency: int,
        clock: Clock,
        proxy: str | None = None,
        connect_timeout: float = 5,
        total_timeout: float = 120,
        max_body: int = 2 * 1024 * 1024,
    ) -> None:
        """Prepare, without connecting; raises what `Line` raises."""
        super().__init__(
            base_url=base_url,
            api_key=api_key,
            concurrency=concurrency,
            clock=clock,
            proxy=proxy,
            connect_timeout=connect_timeout,
            total_timeout=total_timeout,
            max_body=max_body,
            waits_for_a_slot=True,
        )

    async def ask(self, project: ProjectId, turns: Sequence[Turn]) -> str:
        """Send the conversation, newest turn last, and return the assistant's words (Markdown, not blank).

        Waits without limit for one of the key's slots; the total timeout runs from then on. Raises

        - Unreachable if the service cannot have seen the question: no part of the body was sent;
        - OutcomeUnknown if some was, and no whole reply came. That includes a 200 cut short: the
          question was then answered and most likely charged, so asking again must be counted;
        - RateLimited, Unavailable, BrokenAnswer or a Permanent error for what the reply says;
        - InvalidProjectId before anything is sent.
        """
        path = f"/v1/projects/{project_id(project)}/ai/chat"
        unsaid = [turn.text for turn in turns]
        return text_in(await self._call("POST", path, _conversation(turns), unsaid=unsaid))


def _conversation(turns: Sequence[Turn]) -> bytes:
    messages = [{"role": turn.role.value, "content": turn.text} for turn in turns]
    # "replace" is for lone surrogates, which UTF-8 cannot carry.
    return json.dumps({"messages": messages}, ensure_ascii=False).encode("utf-8", "replace")
