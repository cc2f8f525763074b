"""A controller's counter stands for the machine once it has shown that it counts what the watts say."""

from pathlib import Path

import pytest

from agent.sources.energy_proof import WATCHED_SECONDS, Proof
from agent.sources.redfish_client import RedfishClient
from agent.sources.redfish_machine import Machine
from tests.agent.sources.outcomes import data
from tests.agent.sources.redfish_trees import environment, service
from tests.servers.authority import certificates
from tests.servers.redfish import PASSWORD, USER, redfish

JOULE = 1_000_000


def verdicts(step_uj: int, counted_share: float, watts: float = 200.0, gap_seconds: float = 30.0) -> list[bool]:
    """Of a counter in these steps that counts this share of the watts, over twice the time that it is watched."""
    proof, found = Proof(), []
    for number in range(int(2 * WATCHED_SECONDS / 30) + 2):
        now = number * gap_seconds
        counted = int(5e12 + now * watts * counted_share * JOULE) // step_uj * step_uj
        found.append(proof.given(counted, step_uj, watts, now))
    return found


def test_a_fine_counter_that_agrees_is_proved_after_ten_minutes_and_stays_so() -> None:
    found = verdicts(JOULE, 1.03)
    assert found.index(True) == WATCHED_SECONDS / 30
    assert all(found[found.index(True) :])


@pytest.mark.parametrize(
    ("step_uj", "counted_share", "gap_seconds"),
    [(3600 * JOULE, 1.0, 30.0), (JOULE, 0.0, 30.0), (JOULE, 0.8, 30.0), (JOULE, 2.0, 30.0), (JOULE, 1.0, 400.0)],
    ids=["coarse", "stands still", "counts too little", "counts too much", "rarely read"],
)
def test_another_never_is(step_uj: int, counted_share: float, gap_seconds: float) -> None:
    assert not any(verdicts(step_uj, counted_share, gap_seconds=gap_seconds))


def test_a_counter_that_is_reset_is_watched_anew() -> None:
    proof, reset_at = Proof(), 300
    found = []
    for now in range(0, 1200, 30):
        counted = (now if now < reset_at else now - reset_at + 1) * 200 * JOULE
        found.append(proof.given(counted, JOULE, 200.0, float(now)))
    assert found.index(True) * 30 == reset_at + WATCHED_SECONDS


def test_a_proved_counter_comes_before_the_watts_and_a_nought_at_its_end_hides_it_never(tmp_path: Path) -> None:
    ca, chain, key = certificates(tmp_path)
    (tmp_path / "password").write_text(PASSWORD)
    tree = service("1")
    seconds = [0.0]
    with redfish(tree, chain, key) as bmc:
        client = RedfishClient(bmc.url, USER, str(tmp_path / "password"), str(ca))
        machine = Machine(client, tmp_path, now=lambda: seconds[0])
        orders = []
        for number in range(24):
            # 240 W for half a minute are 0.002 kWh; once the figure ends in noughts.
            kwh = round(1234.56 + number * 0.002 + (0 if number == 5 else 0.00001), 5)
            environment(tree, "1", 240 + number % 2, kwh)
            seconds[0] = number * 30.0
            orders.append(list(data(machine.read())))
    assert orders[:20] == [["redfish/1", "redfish/1/energy"]] * 20
    assert orders[20:] == [["redfish/1/energy", "redfish/1"]] * 4
