"""What one project consists of: services, topics, and who relies on whom. Pure; no sentences."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """One service: who owns it, what it calls, and the topics it writes and reads, all by name."""

    name: str
    owner: str
    purpose: str
    calls: tuple[str, ...] = ()
    produces: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """One messaging topic; `example` is the JSON text of a message on it."""

    name: str
    purpose: str
    example: str


@dataclass(frozen=True, slots=True)
class Link:
    """`service` relies on `on`: it calls it (`topic` is None), or reads the topic that `on` writes."""

    service: str
    on: str
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Harm:
    """A service that suffers: `steps` links away from the fault, first reached through `link`."""

    service: Service
    steps: int
    link: Link


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One project. Raises ValueError for names that occur twice or lead nowhere."""

    project: str
    title: str
    services: tuple[Service, ...]
    topics: tuple[Topic, ...]
    description: str = ""
    archived: bool = False

    def __post_init__(self) -> None:
        services = [service.name for service in self.services]
        topics = [topic.name for topic in self.topics]
        if len({*services, *topics}) < len(services) + len(topics):
            raise ValueError(f"{self.project}: a name occurs twice")
        for service in self.services:
            unknown = {*service.calls} - {*services} | {*service.produces, *service.consumes} - {*topics}
            if unknown:
                raise ValueError(f"{self.project}: {service.name} refers to unknown {sorted(unknown)}")

    @property
    def owners(self) -> tuple[str, ...]:
        """The owner teams, each once, in the order of the services."""
        return tuple(dict.fromkeys(service.owner for service in self.services))

    def service(self, name: str) -> Service | None:
        return next((service for service in self.services if service.name == name), None)

    def topic(self, name: str) -> Topic | None:
        return next((topic for topic in self.topics if topic.name == name), None)

    def owned_by(self, owner: str) -> tuple[Service, ...]:
        return tuple(service for service in self.services if service.owner == owner)

    def producers(self, topic: str) -> tuple[Service, ...]:
        return tuple(service for service in self.services if topic in service.produces)

    def consumers(self, topic: str) -> tuple[Service, ...]:
        return tuple(service for service in self.services if topic in service.consumes)

    def links(self) -> Iterator[Link]:
        """Yield who relies on whom: calls first, then topics, service by service."""
        for service in self.services:
            yield from (Link(service.name, called) for called in service.calls)
            for topic in service.consumes:
                yield from (
                    Link(service.name, producer.name, topic)
                    for producer in self.producers(topic)
                    if producer != service
                )

    def dependencies(self, service: str) -> tuple[Link, ...]:
        """What that service relies on, directly."""
        return tuple(link for link in self.links() if link.service == service)

    def dependents(self, service: str) -> tuple[Link, ...]:
        """Who relies on that service, directly."""
        return tuple(link for link in self.links() if link.on == service)

    def blast_radius(self, name: str) -> tuple[Harm, ...]:
        """Who suffers, nearest first, when that service is down or nothing flows on that topic."""
        links = tuple(self.links())
        by_name = {service.name: service for service in self.services}
        first = [link for link in links if name in {link.on, link.topic}]
        waiting = deque((link, 1) for link in first)
        reached: dict[str, Harm] = {}
        while waiting:
            link, steps = waiting.popleft()
            if link.service == name or link.service in reached:
                continue
            reached[link.service] = Harm(by_name[link.service], steps, link)
            waiting.extend((onward, steps + 1) for onward in links if onward.on == link.service)
        return tuple(reached.values())
