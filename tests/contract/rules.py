"""Our small rules for what may be sent to other people's servers, all together. Sends nothing."""

from tests.contract import rules_for_discord, rules_for_others
from tests.contract.rule import Sent

RULES = (*rules_for_discord.RULES, *rules_for_others.RULES)


def broken(sent: Sent) -> list[str]:
    """Return the names of the rules that a call breaks, each once."""
    return [rule.name for rule in RULES if not all(map(rule.holds, rule.look(sent)))]
