"""The simulated MicroVisualizer service on a real socket; it speaks the contract, or a fault."""

import asyncio
import re
from collections.abc import Collection, Iterable
from types import MappingProxyType
from typing import Self

from aiohttp import web

from bots.demo.assistant import contract, listing, wire
from bots.demo.assistant.answering import ProjectAssistant
from bots.demo.assistant.catalogue import Catalogue
from bots.demo.assistant.contract import InvalidRequest, Reply
from bots.demo.assistant.faults import Changed, Cut, Disconnect, Drip, Fault, FaultQueue, Hold, Latency
from bots.demo.assistant.journal import Journal, Outcome, ReceivedCall
from bots.demo.assistant.limit import Limit
from core.clock import Clock

_KEPT_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "traceparent",
        "user-agent",
        "x-request-id",
    }
)
_BEARER = re.compile(r"Bearer +(\S+)", re.IGNORECASE)


class AssistantServer:
    """Serves `POST /v1/projects/{projectId}/ai/chat`, `GET /v1/projects` and `GET /v1/projects/{projectId}`.

    `api_keys` see the given `projects`; keys of other organisations come by `add_key`, and see theirs.

    `latency` are seconds of the clock before each answer, to be changed at will; `faults` are met by
    one request each, in order; `journal` lists what has been received and is only to be read.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        projects: Iterable[Catalogue],
        api_keys: Collection[str],
        latency: float = 0.0,
        max_request_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        self.faults = FaultQueue()
        self.latency = latency
        self._clock = clock
        self._organisations = dict.fromkeys(api_keys, _assistants(projects))
        self._max_request_bytes = max_request_bytes
        self._journal = Journal()
        self._limit: Limit | None = None
        self._open: dict[asyncio.Task[object], asyncio.Transport] = {}
        self._runner: web.AppRunner | None = None
        self._url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """The address to put before `/v1/…`; empty before the first start."""
        return self._url

    @property
    def journal(self) -> list[ReceivedCall]:
        return self._journal.calls

    @property
    def in_flight(self) -> int:
        """How many requests have arrived and not yet been replied to."""
        return self._journal.in_flight

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one. Raises OSError if the port is taken."""
        app = web.Application(client_max_size=self._max_request_bytes)
        app.router.add_post("/v1/projects/{project}/ai/chat", self._receive)
        app.router.add_get("/v1/projects/{project}", self._receive)
        app.router.add_route("*", "/{elsewhere:.*}", self._receive)
        app.on_shutdown.append(self._abandon)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
        await runner.setup()
        self._runner = runner
        await web.TCPSite(runner, host, port).start()
        self._url = f"http://{host}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Drop every connection, held and dripping ones too, and stop listening. May be started again."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def limit(self, per_second: float | None, burst: int | None = None) -> None:
        """From now on answer 429 to what exceeds the limit of its key; None lifts it."""
        self._limit = None if per_second is None else Limit(per_second, burst)

    def add_key(self, key: str, projects: Iterable[Catalogue]) -> None:
        """From now on accept the key of an organisation that has these projects, and no others."""
        self._organisations[key] = _assistants(projects)

    def revoke(self, key: str) -> None:
        """Accept a key no longer."""
        del self._organisations[key]

    async def wait_for_calls(self, count: int) -> None:
        """Return once that many requests have been received, in all."""
        await self._journal.wait_until(lambda: len(self.journal) >= count)

    async def wait_for_finished(self, count: int) -> None:
        """Return once that many requests have come to an end, however."""
        await self._journal.wait_until(lambda: len(self.journal) - self.in_flight >= count)

    async def _abandon(self, _: web.Application) -> None:
        """Cancel what is open: nobody waits for a drip or a hold at the end."""
        open_calls = dict(self._open)
        for task in open_calls:
            task.cancel()
        if open_calls:
            await asyncio.wait(open_calls)
        for transport in open_calls.values():
            transport.abort()

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        self._own(request)
        fault = self.faults.take()
        unread = fault == Disconnect(Cut.BEFORE_READING)
        try:
            raw = b"" if unread else await request.read()
        except web.HTTPRequestEntityTooLarge:
            return wire.response(contract.refused(413, "bad_request", "Request too large"))
        call = self._opened(request, raw)
        outcome, status = Outcome.ABANDONED, None
        try:
            outcome, status, response = await self._treat(fault, call, request)
        finally:
            self._journal.closed(call.number, self._clock.now(), outcome, status)
        return response

    def _own(self, request: web.Request) -> None:
        task = asyncio.current_task()
        transport = request.transport
        if task is not None and transport is not None:
            self._open[task] = transport
            task.add_done_callback(self._open.pop)

    def _opened(self, request: web.Request, raw: bytes) -> ReceivedCall:
        headers = {name.lower(): value for name, value in request.headers.items()}
        bearer = _BEARER.fullmatch(headers.get("authorization", ""))
        call = ReceivedCall(
            number=len(self.journal),
            method=request.method,
            path=request.path,
            query=MappingProxyType({name: request.query[name] for name in request.query}),
            project=request.match_info.get("project", ""),
            key=bearer[1] if bearer else None,
            messages=contract.legible_turns(raw),
            raw=raw,
            headers=MappingProxyType({name: headers[name] for name in _KEPT_HEADERS & headers.keys()}),
            started_at=self._clock.now(),
        )
        self._journal.opened(call)
        return call

    async def _treat(
        self, fault: Fault | None, call: ReceivedCall, request: web.Request
    ) -> tuple[Outcome, int | None, web.StreamResponse]:
        """Return what became of the call, and the response that aiohttp is to finish."""
        match fault:
            case None:
                reply = await self._steady(call)
                return _outcome(reply.status), reply.status, wire.response(reply)
            case Latency(seconds, then):
                await self._clock.sleep(seconds)
                return await self._treat(then, call, request)
            case Hold(then, released):
                await released.wait()
                return await self._treat(then, call, request)
            case Drip(seconds):
                reply = self._proper(call)
                response = await wire.drip(request, reply, seconds, self._clock)
                return _outcome(reply.status), reply.status, response
            case Disconnect(when):
                return Outcome.CUT, None, await wire.cut(request, when, self._proper(call))
            case _:
                return await self._change(fault, call)

    async def _change(
        self, fault: Changed, call: ReceivedCall
    ) -> tuple[Outcome, int | None, web.StreamResponse]:
        # A bomb takes its time to compress: not on the event loop's.
        reply = await asyncio.to_thread(fault.change, self._proper(call))
        usual = fault.valid or reply.status == 429
        return _outcome(reply.status) if usual else Outcome.FAULTED, reply.status, wire.response(reply)

    async def _steady(self, call: ReceivedCall) -> Reply:
        wait = 0 if self._limit is None else self._limit.wait(call.key or "", self._clock.monotonic())
        if wait:
            return contract.slowed(wait)
        if self.latency:
            await self._clock.sleep(self.latency)
        return self._proper(call)

    def _proper(self, call: ReceivedCall) -> Reply:
        """Return the reply of the contract."""
        assistants = self._organisations.get(call.key or "")
        if assistants is None:
            return contract.refused(401, "unauthorized", "Missing or unknown API key")
        if (call.method, call.path) == ("GET", listing.PATH):
            catalogues = [assistant.catalogue for assistant in assistants.values()]
            return listing.page_reply(catalogues, call.query)
        if not call.project:
            return contract.refused(404, "not_found", "Nothing is served here")
        try:
            contract.check_project_id(call.project)
            assistant = assistants.get(call.project)
            if assistant is None:
                return contract.refused(404, "project_not_found", "Project not found")
            if call.method == "GET":
                return contract.json_reply(200, listing.project(assistant.catalogue))
            contract.check_content_type(call.headers.get("content-type", ""))
            return contract.said(assistant.answer(contract.turns_of(call.raw)))
        except InvalidRequest as error:
            return contract.invalid(error)


def _assistants(projects: Iterable[Catalogue]) -> dict[str, ProjectAssistant]:
    return {catalogue.project: ProjectAssistant(catalogue) for catalogue in projects}


def _outcome(status: int) -> Outcome:
    match status:
        case 200:
            return Outcome.ANSWERED
        case 429:
            return Outcome.RATE_LIMITED
        case _:
            return Outcome.REFUSED
