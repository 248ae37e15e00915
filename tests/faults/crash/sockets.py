"""The door of a platform whose API and sockets share a port: events over a socket are passages too."""

import asyncio
import json

from tests.faults.crash.door import Door, Passage, Streams, Way
from tests.faults.crash.messages import Frame, read_frame


class SocketDoor(Door):
    """A door whose connections may become sockets: the server sends events, which Slack has acknowledged."""

    async def upgraded(self, client: Streams, server: Streams) -> None:
        """Carry frames both ways until one side ends."""
        open_events: dict[str, Passage] = {}
        try:
            async with asyncio.TaskGroup() as carrying:
                carrying.create_task(self._to_client(server[0], client[1], open_events))
                carrying.create_task(self._from_client(client[0], server[1], open_events, carrying))
        except* (ConnectionError, asyncio.IncompleteReadError) as ends:
            for passage in open_events.values():
                passage.broken = True
                passage.unread = ends.subgroup(ConnectionResetError) is not None
            self._keeper.changes.happened()

    async def _to_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, envelopes: dict[str, Passage]
    ) -> None:
        while True:
            frame = await read_frame(reader)
            envelope = _envelope_id(frame)
            passage = Passage("events", self._keeper.life, _as_request(frame))
            if envelope or any(name in frame.payload for name in _TOLD):
                envelopes[envelope or str(len(self._keeper.passages))] = passage
                self._keeper.passages.append(passage)
            writer.write(frame.raw)
            await writer.drain()
            passage.forwarded = True
            self._keeper.changes.happened()

    async def _from_client(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        envelopes: dict[str, Passage],
        carrying: asyncio.TaskGroup,
    ) -> None:
        while True:
            frame = await read_frame(reader)
            passage = envelopes.pop(_envelope_id(frame), None)
            if passage is None:
                writer.write(frame.raw)
            else:
                passage.reply = frame.payload
                self._keeper.changes.happened()
                carrying.create_task(self._acknowledge(passage, frame, writer))

    async def _acknowledge(self, passage: Passage, frame: Frame, writer: asyncio.StreamWriter) -> None:
        """Let one acknowledgement pass, whatever becomes of those before it."""
        await self._keeper.let(passage, Way.OUT)
        writer.write(frame.raw)
        passage.returned = True
        self._keeper.changes.happened()


_TOLD = (b'"MESSAGE_CREATE"', b'"INTERACTION_CREATE"')  # Discord's events


def _envelope_id(frame: Frame) -> str:
    """Return the id of the envelope that this is, or acknowledges; "" for other frames."""
    if not frame.payload.startswith(b"{"):
        return ""
    return str(json.loads(frame.payload).get("envelope_id", ""))


def _as_request(frame: Frame) -> bytes:
    """Return an envelope as if it had come to the same path as a signed request."""
    return b"SOCKET /slack/events \r\n\r\n" + frame.payload
