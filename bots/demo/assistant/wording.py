"""Puts a catalogue's facts into Markdown, one function per kind of answer. Decides nothing."""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bots.demo.assistant.catalogue import Catalogue, Harm, Link, Service, Topic


class Verb(NamedTuple):
    """One side of a topic, for one service and for several."""

    one: str
    many: str


PUBLISH = Verb("publishes", "publish")
CONSUME = Verb("consumes", "consume")


def code(name: str) -> str:
    return f"`{name}`"


def listed(names: Iterable[str]) -> str:
    """Join names as prose: `a`, `b` and `c`; "nothing" for none."""
    marked = [code(name) for name in names]
    if not marked:
        return "nothing"
    return " and ".join([", ".join(marked[:-1]), marked[-1]]) if len(marked) > 1 else marked[0]


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a GitHub-flavoured table; every row is as long as the head."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def topic_side(topic: Topic, verb: Verb, services: Sequence[Service]) -> str:
    """Say which services publish (or consume) a topic."""
    if not services:
        return f"**Nobody** {verb.one} {code(topic.name)} in this project."
    if len(services) == 1:
        return (
            f"**{services[0].name}** {verb.one} {code(topic.name)}. It belongs to team *{services[0].owner}*."
        )
    lines = (f"**{service.name}** (team *{service.owner}*)" for service in services)
    return f"{len(services)} services {verb.many} {code(topic.name)}:\n\n{bullets(lines)}"


def service_side(service: Service, verb: Verb, topics: Sequence[str]) -> str:
    """Say which topics a service publishes (or consumes)."""
    if not topics:
        return f"**{service.name}** {verb.one} no topics."
    return f"**{service.name}** {verb.one}:\n\n{bullets(code(topic) for topic in topics)}"


def relation(link: Link) -> str:
    """Say why `link.service` relies on `link.on`."""
    return (
        f"calls {code(link.on)}" if link.topic is None else f"reads {code(link.topic)} from {code(link.on)}"
    )


def dependencies(service: Service, links: Sequence[Link]) -> str:
    if not links:
        return f"**{service.name}** depends on no other service."
    return f"**{service.name}** depends on {_services(link.on for link in links)}:\n\n" + bullets(
        f"it {relation(link)}" for link in links
    )


def dependents(service: Service, links: Sequence[Link]) -> str:
    if not links:
        return f"Nothing depends on **{service.name}**."
    verb = "depends" if len({link.service for link in links}) == 1 else "depend"
    return f"{_services(link.service for link in links)} {verb} on **{service.name}**:\n\n" + bullets(
        f"**{link.service}** {relation(link)}" for link in links
    )


def _services(names: Iterable[str]) -> str:
    return listed(dict.fromkeys(names))


def impact(subject: str, harms: Sequence[Harm]) -> str:
    """Return the blast radius as a table, nearest first."""
    if not harms:
        return f"**Nothing else breaks** without {code(subject)}: no service relies on it."
    rows = (
        [code(harm.service.name), str(harm.steps), relation(harm.link), harm.service.owner] for harm in harms
    )
    teams = ", ".join(dict.fromkeys(harm.service.owner for harm in harms))
    count = "1 service is" if len(harms) == 1 else f"{len(harms)} services are"
    return (
        f"Without {code(subject)}, **{count} affected**:\n\n"
        + table(("Service", "Steps away", "Because it", "Team"), rows)
        + f"\n\nTeams to tell: *{teams}*."
    )


def service_card(service: Service, users: Sequence[Link]) -> str:
    facts = (
        f"Owner: team *{service.owner}*",
        f"Calls: {listed(service.calls)}",
        f"Publishes: {listed(service.produces)}",
        f"Consumes: {listed(service.consumes)}",
        f"Relied on by: {_services(link.service for link in users)}",
    )
    return f"**{service.name}**: {service.purpose}\n\n{bullets(facts)}"


def topic_card(topic: Topic, producers: Sequence[Service], consumers: Sequence[Service]) -> str:
    facts = (
        f"Published by: {listed(service.name for service in producers)}",
        f"Consumed by: {listed(service.name for service in consumers)}",
    )
    return f"**{topic.name}**: {topic.purpose}\n\n{bullets(facts)}"


def team_card(team: str, services: Sequence[Service]) -> str:
    lines = (f"{code(service.name)}: {service.purpose}" for service in services)
    return f"Team *{team}* owns:\n\n{bullets(lines)}"


def example(topic: Topic) -> str:
    """Return an example message in a fenced block of JSON."""
    return (
        f"A message on {code(topic.name)}:\n\n```json\n{json.dumps(json.loads(topic.example), indent=2)}\n```"
    )


def diagram(title: str, links: Sequence[Link]) -> str:
    """Return a Mermaid flowchart of who relies on whom."""
    names = dict.fromkeys(name for link in links for name in (link.service, link.on))
    ids = {name: f"s{number}" for number, name in enumerate(names, start=1)}
    nodes = [f'  {ids[name]}["{name}"]' for name in names]
    edges = [_edge(ids, link) for link in links]
    return "\n".join([f"Here is **{title}**:", "", "```mermaid", "flowchart LR", *nodes, *edges, "```"])


def _edge(ids: dict[str, str], link: Link) -> str:
    if link.topic is None:
        return f"  {ids[link.service]} --> {ids[link.on]}"
    return f'  {ids[link.on]} -. "{link.topic}" .-> {ids[link.service]}'


def all_services(catalogue: Catalogue) -> str:
    rows = ([code(service.name), service.owner, service.purpose] for service in catalogue.services)
    count = len(catalogue.services)
    return (
        f"**{catalogue.title}** has {count} services:\n\n{table(('Service', 'Team', 'What it does'), rows)}"
    )


def all_topics(catalogue: Catalogue) -> str:
    lines = (f"{code(topic.name)}: {topic.purpose}" for topic in catalogue.topics)
    return f"**{catalogue.title}** has {len(catalogue.topics)} topics:\n\n{bullets(lines)}"


def abilities(catalogue: Catalogue, *, understood: bool) -> str:
    """Say what can be asked, with names of this very project."""
    topic = next((topic.name for topic in catalogue.topics), "a.topic")
    service = next((service.name for service in catalogue.services), "a-service")
    lines = (
        f"who publishes or consumes a topic: *who consumes {topic}?*",
        f"what relies on what: *what does {service} depend on?*",
        f"what an outage would hit: *what breaks if {service} is down?*",
        f"who owns a service: *who owns {service}?*",
        f"an example message or a diagram: *show me an example of {topic}*",
        "what there is: *list all services*, *list all topics*",
    )
    start = "I know" if understood else "I did not understand that. I know"
    return (
        f"{start} the services and topics of **{catalogue.title}**. Ask me, for example:\n\n{bullets(lines)}"
    )


def unknown_it() -> str:
    return (
        "I don't know what **it** refers to: nothing before this question names a service or a topic. "
        "Please name it, for example *who consumes* followed by the topic's name."
    )


def unknown_name(word: str, catalogue: Catalogue, close: Sequence[str]) -> str:
    hint = (
        f"Did you mean {listed(close)}?" if close else "Ask me to *list all services* or *list all topics*."
    )
    return f"There is no {code(word)} in **{catalogue.title}**. {hint}"
