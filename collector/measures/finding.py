"""The rules that find measures in the data, each with its days: a list, so that a new rule is one line more."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from carbon.measures import idle_servers, old_servers, out_of_hours, oversized_ups, poe_out_of_hours
from carbon.measures.measure import Measure
from collector.measures.find_idle_servers import find_idle_servers
from collector.measures.find_old_servers import find_old_servers
from collector.measures.find_out_of_hours import find_out_of_hours
from collector.measures.find_oversized_upss import find_oversized_upss
from collector.measures.find_poe_out_of_hours import find_poe_out_of_hours
from collector.measures.look import Look


@dataclass(frozen=True, slots=True)
class Rule:
    """What finds measures, and how many whole days it looks back."""

    days: int
    find: Callable[[Look], list[Measure]]


RULES: Mapping[str, Rule] = {
    "idle_server": Rule(idle_servers.DAYS, find_idle_servers),
    "out_of_hours": Rule(out_of_hours.DAYS, find_out_of_hours),
    "poe_out_of_hours": Rule(poe_out_of_hours.DAYS, find_poe_out_of_hours),
    "oversized_ups": Rule(oversized_ups.DAYS, find_oversized_upss),
    "old_server": Rule(old_servers.DAYS, find_old_servers),
}


def find_measures(
    connection: Connection, organisation_id: int, time_zone: str, now: int, names: Iterable[str] = ()
) -> dict[str, list[Measure]]:
    """What rules find in an organisation's data up to yesterday, by rule; all rules without `names`."""
    wanted = list(names) or list(RULES)
    return {
        name: RULES[name].find(Look(connection, organisation_id, time_zone, now, RULES[name].days)) for name in wanted
    }
