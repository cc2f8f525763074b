"""`ictagent sample`: two samples, an interval apart, shown and stored nowhere."""

import time
from dataclasses import asdict
from pathlib import Path

import click

import agent
from agent.choice import better_words, chosen_words
from agent.commands.common import SETTLE_SECONDS, echo_json, echo_table, output_option, root_option
from agent.report import jsonable
from agent.report_builder import build_report
from agent.sample import Sample
from agent.sampler import Sampler
from agent.settings import load_agent


@click.command(
    epilog="\b\nExamples:\n  ictagent sample\n  ictagent sample --interval 10 --output json\n"
    "  sudo ictagent sample        the energy counters of many machines are readable by root only"
)
@click.option("--interval", type=click.FloatRange(0.1, 600), default=1.0, show_default=True, help="Seconds to measure.")
@output_option()
@root_option
def sample(interval: float, output: str, root: Path) -> None:
    """Show what this host tells: inventory, utilisation, energy sources.

    Utilisation and power are means over the interval. The JSON has the report's shape (docs/reports.md).
    """
    sampler = Sampler(root, load_agent().settings if root == Path("/") else None)
    sampler.settle(SETTLE_SECONDS)
    first = sampler.sample(with_inventory=True)
    time.sleep(interval)
    second = sampler.sample(with_inventory=False)
    second.inventory = first.inventory
    sampler.close()
    if output == "json":
        echo_json(jsonable(build_report([second], "sample", 1, agent.__version__, [])))
    else:
        _table(second)


def _table(taken: Sample) -> None:
    inventory = asdict(taken.inventory) if taken.inventory else {}
    disks = ", ".join(f"{disk['name']} {disk['model']}".strip() for disk in inventory.pop("disks", []))
    cards = ", ".join(card["name"] for card in inventory.pop("network_cards", []))
    rows = [(name.replace("_", " "), value) for name, value in inventory.items() if value not in ("", None)]
    echo_table(("inventory", ""), [*rows, ("disks", disks or "none"), ("network cards", cards or "none")])
    click.echo()
    points = [
        (point.measurement, " ".join(point.tags.values()), name, "" if value is None else value)
        for point in taken.points
        for name, value in point.fields.items()
    ]
    echo_table(("measurement", "of", "field", "value"), points)
    click.echo()
    readings = []
    for one in taken.readings:
        if one.meter.kind == "power":
            readings.append((one.meter.name, one.meter.covers, f"{one.values[0]:.1f} W"))
        elif one.meter.kind == "counter" and one.interval_ns:
            readings.append((one.meter.name, one.meter.covers, f"{one.differences[0] * 1000 / one.interval_ns:.1f} W"))
    echo_table(("energy meter", "covers", "mean power"), readings or [("none", "", "")])
    click.echo()
    if taken.guests:
        _guests(taken)
    echo_table(("source", "outcome", "reason"), [(s.source, s.outcome, s.reason) for s in taken.sources])
    click.echo(f"\npower comes from {chosen_words(taken.choice)}")
    for rung, reason in taken.choice.why_not.items():
        click.echo(f"  not from {better_words(rung)}: {reason}")


def _guests(taken: Sample) -> None:
    used = {one.meter.name: one for one in taken.readings if one.meter.covers == "guest"}
    rows = []
    for guest in taken.guests:
        busy, total = used[guest.meter].differences or (0, 0)
        memory = f"{guest.memory_bytes / 2**30:.1f} GiB" if guest.memory_bytes else "no limit"
        share = f"{busy / total:.1%}" if total else ""
        rows.append((guest.name, guest.manager, guest.kind.replace("_", " "), guest.vcpus or "no limit", memory, share))
    echo_table(("guest", "of", "kind", "processors", "memory", "share of the host"), rows)
    click.echo()
