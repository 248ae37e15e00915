"""Answers a conversation about one catalogue: reads the question, looks up the facts. Keeps no memory."""

from collections.abc import Sequence

from bots.demo.assistant import wording
from bots.demo.assistant.catalogue import Catalogue, Link, Service, Topic
from bots.demo.assistant.naming import Name, NameFinder, Sort
from bots.demo.assistant.reading import Asked, QuestionReader, Reading, Turn


class ProjectAssistant:
    """The assistant of one project. Stateless: all it knows of a conversation are the turns it is given."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._finder = NameFinder(catalogue)
        self._reader = QuestionReader(self._finder)

    def answer(self, turns: Sequence[Turn]) -> str:
        """Return the answer, in Markdown, to the last of `turns` (role, content); there is at least one."""
        reading = self._reader.read(turns)
        if reading.names:
            return "\n\n".join(self._facts(asked, name) for name in reading.names for asked in reading.asked)
        return self._unnamed(reading)

    def _unnamed(self, reading: Reading) -> str:
        if reading.stranger is not None:
            return self._unknown(reading.stranger, reading.asked)
        if reading.it:
            return wording.unknown_it()
        match reading.asked:
            case (Asked.SERVICES,):
                return wording.all_services(self.catalogue)
            case (Asked.TOPICS,):
                return wording.all_topics(self.catalogue)
            case (Asked.DIAGRAM,):
                return wording.diagram(self.catalogue.title, tuple(self.catalogue.links()))
            case (Asked.THANKS,):
                return "You're welcome!"
            case asked:
                return wording.abilities(self.catalogue, understood=bool(asked))

    def _unknown(self, stranger: str, asked: tuple[Asked, ...]) -> str:
        if not asked:
            return wording.abilities(self.catalogue, understood=False)
        answer = wording.unknown_name(stranger, self.catalogue, self._finder.suggestions(stranger))
        if asked == (Asked.ABOUT,):
            return f"{answer}\n\n{wording.abilities(self.catalogue, understood=True)}"
        return answer

    def _facts(self, asked: Asked, name: Name) -> str:
        service = self.catalogue.service(name.text)
        if service is not None:
            return self._of_service(asked, service)
        topic = self.catalogue.topic(name.text)
        if topic is not None:
            return self._of_topic(asked, topic)
        return self._of_team(asked, name)

    def _of_service(self, asked: Asked, service: Service) -> str:
        match asked:
            case Asked.OWNER:
                return f"**{service.name}** is owned by team *{service.owner}*."
            case Asked.PRODUCERS:
                return wording.service_side(service, wording.PUBLISH, service.produces)
            case Asked.CONSUMERS:
                return wording.service_side(service, wording.CONSUME, service.consumes)
            case Asked.DEPENDENCIES:
                return wording.dependencies(service, self.catalogue.dependencies(service.name))
            case Asked.DEPENDENTS:
                return wording.dependents(service, self.catalogue.dependents(service.name))
            case _:
                return self._around_service(asked, service)

    def _around_service(self, asked: Asked, service: Service) -> str:
        match asked:
            case Asked.IMPACT:
                return wording.impact(service.name, self.catalogue.blast_radius(service.name))
            case Asked.DIAGRAM:
                return wording.diagram(service.name, self._around(service.name))
            case Asked.EXAMPLE:
                return self._examples(service)
            case _:
                return wording.service_card(service, self.catalogue.dependents(service.name))

    def _of_topic(self, asked: Asked, topic: Topic) -> str:
        producers = self.catalogue.producers(topic.name)
        consumers = self.catalogue.consumers(topic.name)
        match asked:
            case Asked.OWNER:
                return self._topic_owner(topic, producers)
            case Asked.PRODUCERS | Asked.DEPENDENCIES:
                return wording.topic_side(topic, wording.PUBLISH, producers)
            case Asked.CONSUMERS | Asked.DEPENDENTS:
                return wording.topic_side(topic, wording.CONSUME, consumers)
            case Asked.IMPACT:
                return wording.impact(topic.name, self.catalogue.blast_radius(topic.name))
            case Asked.DIAGRAM:
                return wording.diagram(topic.name, self._around(topic.name))
            case Asked.EXAMPLE:
                return wording.example(topic)
            case _:
                return wording.topic_card(topic, producers, consumers)

    def _of_team(self, asked: Asked, team: Name) -> str:
        services = self.catalogue.owned_by(team.text)
        if asked in {Asked.OWNER, Asked.ABOUT}:
            return wording.team_card(team.text, services)
        names = (Name(Sort.SERVICE, service.name) for service in services)
        return "\n\n".join(self._facts(asked, name) for name in names)

    def _topic_owner(self, topic: Topic, producers: Sequence[Service]) -> str:
        if not producers:
            return f"Nobody publishes {wording.code(topic.name)}, so it has no owner."
        owners = " and ".join(dict.fromkeys(f"*{service.owner}*" for service in producers))
        publishers = wording.listed(service.name for service in producers)
        return f"{wording.code(topic.name)} is published by {publishers}, owned by team {owners}."

    def _around(self, name: str) -> tuple[Link, ...]:
        return tuple(link for link in self.catalogue.links() if name in {link.service, link.on, link.topic})

    def _examples(self, service: Service) -> str:
        topics = (self.catalogue.topic(name) for name in service.produces)
        examples = [wording.example(topic) for topic in topics if topic is not None]
        return "\n\n".join(examples) or f"**{service.name}** publishes nothing to show."
