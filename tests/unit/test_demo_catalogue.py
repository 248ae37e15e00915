"""The demo assistant's facts, and how it reads questions about them; no sockets here."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.demo.assistant import Catalogue, Service, Topic, demo_projects, media_demo, shop_demo
from bots.demo.assistant.answering import ProjectAssistant
from bots.demo.assistant.limit import Limit


class Talk:
    """A conversation with one assistant that carries its own history, as a client does."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.assistant = ProjectAssistant(catalogue)
        self.turns: list[tuple[str, str]] = []

    def ask(self, question: str) -> str:
        self.turns.append(("user", question))
        answer = self.assistant.answer(self.turns)
        self.turns.append(("assistant", answer))
        return answer


@pytest.fixture
def shop() -> Talk:
    return Talk(shop_demo())


def names(services: tuple[Service, ...]) -> list[str]:
    return [service.name for service in services]


# The catalogue


def test_every_topic_of_the_demo_is_published_and_its_example_is_json() -> None:
    for catalogue in demo_projects():
        for topic in catalogue.topics:
            assert catalogue.producers(topic.name)
            assert isinstance(json.loads(topic.example), dict)


def test_a_name_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="billing refers to unknown"):
        Catalogue("tiny-demo", "Tiny", (Service("billing", "Pay", "Bills.", calls=("ghost",)),), ())


def test_a_name_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Catalogue("tiny-demo", "Tiny", (Service("a", "T", "A."),), (Topic("a", "A.", "{}"),))


def test_the_blast_radius_follows_calls_and_topics_and_ends_despite_cycles() -> None:
    harms = {harm.service.name: harm.steps for harm in shop_demo().blast_radius("fraud-check")}
    assert harms["billing"] == 1
    assert harms["order-service"] == 2
    assert harms["web"] == 3
    assert "fraud-check" not in harms


def test_a_service_does_not_rely_on_itself_through_its_own_topic() -> None:
    service = Service("loop", "T", "Loops.", produces=("tick",), consumes=("tick",))
    catalogue = Catalogue("tiny-demo", "Tiny", (service,), (Topic("tick", "Ticks.", "{}"),))
    assert catalogue.dependencies("loop") == ()
    assert catalogue.blast_radius("tick") == ()


# Questions that name their subject


@pytest.mark.parametrize(
    "question",
    [
        "who publishes order.created?",
        "Ana: who publishes order.created?",
        "<@U012AB3CD> Which service produces `order.created`?",
        "who emits Order Created",
        "Ana Pérez: who sends ordr.created?",
    ],
)
def test_the_producer_of_a_topic_is_found_however_it_is_asked(shop: Talk, question: str) -> None:
    assert shop.ask(question).startswith("**order-service** publishes `order.created`.")


def test_consumers_come_as_a_list(shop: Talk) -> None:
    answer = shop.ask("who consumes order.created?")
    for service in names(shop_demo().consumers("order.created")):
        assert f"- **{service}**" in answer


def test_a_topic_nobody_touches_says_so() -> None:
    shop = shop_demo()
    silent = replace(shop, topics=(*shop.topics, Topic("refund.issued", "Money went back.", "{}")))
    talk = Talk(silent)
    assert talk.ask("who publishes refund.issued?") == "**Nobody** publishes `refund.issued` in this project."
    assert talk.ask("and who owns it?").startswith("Nobody publishes `refund.issued`")


def test_topics_of_a_service_can_be_asked_from_its_side(shop: Talk) -> None:
    assert "- `payment.captured`" in shop.ask("which topics does billing publish?")
    assert "- `order.cancelled`" in shop.ask("what does billing consume?")
    assert shop.ask("what does notification produce?") == "**notification** publishes no topics."


def test_dependencies_and_dependents_are_told_apart(shop: Talk) -> None:
    assert "`fraud-check`" in shop.ask("what does billing depend on?")
    assert "- **order-service** calls `billing`" in shop.ask("who calls billing?")
    assert "- **order-service** calls `billing`" in shop.ask("which services depend on billing?")
    assert shop.ask("who uses notification?") == "Nothing depends on **notification**."
    assert shop.ask("what does fraud-check depend on?") == "**fraud-check** depends on no other service."
    assert shop.ask("who calls fraud-check?").startswith("`billing` and `notification` depend on")
    assert Talk(media_demo()).ask("who calls recommendation?").startswith("`player-web` depends on")


def test_what_breaks_is_a_table_with_every_harmed_service(shop: Talk) -> None:
    answer = shop.ask("what breaks if billing is down?")
    assert "| Service | Steps away | Because it | Team |\n| --- | --- | --- | --- |" in answer
    for harm in shop_demo().blast_radius("billing"):
        assert f"| `{harm.service.name}` | {harm.steps} |" in answer


def test_what_breaks_counts_one_and_none(shop: Talk) -> None:
    assert shop.ask("what if web goes down?").startswith("Without `web`, **1 service is affected**")
    assert shop.ask("what breaks if notification fails?").startswith("**Nothing else breaks**")
    assert "| `notification` | 1 |" in shop.ask("impact of cart.abandoned?")


def test_owners_of_services_topics_and_teams(shop: Talk) -> None:
    assert shop.ask("who owns inventry?") == "**inventory** is owned by team *Logistics*."
    assert "published by `billing`, owned by team *Payments*" in shop.ask("who owns payment.captured?")
    assert "- `fraud-check`" in shop.ask("what does the Payments team own?")
    assert "- `payment.failed`" in shop.ask("what does team Payments publish?")


def test_descriptions_of_a_service_and_a_topic(shop: Talk) -> None:
    card = shop.ask("describe the billing service")
    assert card.startswith("**billing**: Charges cards")
    assert "- Calls: `fraud-check`" in card
    assert "- Publishes: nothing" in shop.ask("describe notification")
    assert "- Consumed by: `order-service` and `shipping`" in shop.ask("what is payment.captured?")


def test_an_example_is_a_fenced_block_of_json(shop: Talk) -> None:
    answer = shop.ask("show me an example of order.created")
    assert json.loads(answer.split("```json\n")[1].split("```")[0])["orderId"] == "o-1042"
    assert shop.ask("example events of billing").count("```json") == 2
    assert "publishes nothing to show" in shop.ask("an example of notification")


def test_diagrams_are_mermaid_of_a_neighbourhood_or_of_everything(shop: Talk) -> None:
    everything = shop.ask("draw the whole system")
    assert "```mermaid\nflowchart LR\n" in everything
    assert everything.count("[") == 8
    assert '-. "payment.captured" .->' in shop.ask("draw payment.captured")
    assert '["web"]' in shop.ask("diagram of order-service")


def test_two_questions_about_two_names_get_four_answers(shop: Talk) -> None:
    answer = shop.ask("who publishes and who consumes order.created and stock.low?")
    assert answer.count("`order.created`") == 2
    assert answer.count("`stock.low`") == 2


def test_lists_of_services_and_topics(shop: Talk) -> None:
    services = shop.ask("list all services")
    assert all(f"| `{service.name}` |" in services for service in shop_demo().services)
    topics = shop.ask("which topics are there?")
    assert all(f"- `{topic.name}`" in topics for topic in shop_demo().topics)


# Follow-ups


def test_a_walk_of_follow_ups_keeps_its_subject(shop: Talk) -> None:
    assert "**order-service**" in shop.ask("Ana: who publishes order.created?")
    assert "**billing**" in shop.ask("Ben: and who consumes it?")
    assert "owned by team *Checkout*" in shop.ask("what about its owner?")
    assert "Without `order.created`" in shop.ask("what breaks if it is down?")
    assert shop.ask("Thanks!") == "You're welcome!"
    assert "```json" in shop.ask("what does it look like?")
    assert "**order.created**: An order was placed." in shop.ask("tell me about it")


def test_a_follow_up_that_only_names_repeats_the_question(shop: Talk) -> None:
    shop.ask("who owns billing?")
    assert shop.ask("and shipping?") == "**shipping** is owned by team *Logistics*."


def test_an_onward_question_without_a_past_is_a_description(shop: Talk) -> None:
    assert shop.ask("and shipping?").startswith("**shipping**: Books carriers")


def test_an_onward_question_skips_answers_and_falls_back_on_a_description() -> None:
    talk = Talk(shop_demo())
    talk.turns = [("user", "qwerty"), ("assistant", "who owns billing?")]
    assert talk.ask("and shipping?").startswith("**shipping**: Books carriers")


@pytest.mark.parametrize("question", ["and who consumes it?", "who owns it?", "what breaks if it is down?"])
def test_without_the_history_it_is_unknown_and_said_plainly(shop: Talk, question: str) -> None:
    assert shop.ask(question).startswith("I don't know what **it** refers to")


def test_what_the_assistant_named_counts_when_people_named_nothing(shop: Talk) -> None:
    shop.turns = [("assistant", "**billing** is owned by team *Payments*.")]
    assert shop.ask("who calls it?").startswith("`order-service`")


def test_the_newest_subject_wins(shop: Talk) -> None:
    shop.ask("who owns billing?")
    shop.ask("who owns shipping?")
    assert "**shipping**" in shop.ask("what does it depend on?")


# Questions it cannot answer


def test_an_unknown_name_is_told_with_what_comes_close(shop: Talk) -> None:
    answer = shop.ask("who owns the order-servant?")
    assert answer.startswith("There is no `order-servant` in **Shop demo**. Did you mean")
    assert "`order-service`" in answer
    assert "list all services" in shop.ask("who owns the flux-capacitor?")
    assert "There is no `flux-capacitor`" in shop.ask("does it call flux-capacitor?")


def test_an_unknown_question_says_what_can_be_asked(shop: Talk) -> None:
    for question in ("banana", "so?", "what is the weather?", "help", "Hi"):
        assert "who consumes order.created?" in shop.ask(question)
    assert shop.ask("banana").startswith("I did not understand that.")
    assert shop.ask("help").startswith("I know the services")


def test_a_service_before_a_colon_is_no_speaker(shop: Talk) -> None:
    assert shop.ask("billing: who owns it?") == "**billing** is owned by team *Payments*."
    assert shop.ask("who owns this? I mean: billing") == "**billing** is owned by team *Payments*."


def test_even_an_empty_question_gets_an_answer(shop: Talk) -> None:
    assert "Ask me" in shop.ask("Ana: ???")
    assert "Ask me" in shop.ask("")


def test_an_empty_project_still_says_what_can_be_asked() -> None:
    assert "*who owns a-service?*" in Talk(Catalogue("empty-demo", "Empty", (), ())).ask("help")


WORDS = st.sampled_from(
    [
        "who",
        "owns",
        "it",
        "billing",
        "order.created",
        "draw",
        "and",
        "what",
        "breaks",
        "Ana:",
        "topics",
        "Payments",
    ]
)
TEXTS = st.one_of(st.text(), st.lists(WORDS).map(" ".join))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), TEXTS), max_size=4), TEXTS)
def test_whatever_is_asked_there_is_an_answer(earlier: list[tuple[str, str]], question: str) -> None:
    assert ProjectAssistant(shop_demo()).answer([*earlier, ("user", question)]).strip()


# The steady limit


def test_the_limit_lets_a_burst_through_then_asks_for_whole_seconds() -> None:
    limit = Limit(per_second=2)
    assert [limit.wait("a", 10.0) for _ in range(3)] == [0, 0, 1]
    assert limit.wait("b", 10.0) == 0
    assert limit.wait("a", 11.0) == 0


def test_a_slow_limit_asks_for_long_waits_and_keeps_its_word() -> None:
    limit = Limit(per_second=0.1)
    assert limit.wait("a", 0.0) == 0
    assert limit.wait("a", 0.5) == 10
    assert limit.wait("a", 10.5) == 0
