"""`ictagent snmp path` as a user types it, on a recorded PDU that a collector really polls."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from agent.report import Inventory
from collector.service import Collector
from collector.settings import CollectorSettings
from collector.snmp.devices import NewDevice, add_device, last_reading
from tests.collector.hosts import deliver, new_host
from tests.servers.process import wait_until
from tests.servers.replay import replay

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def state(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state directory of a collector that has polled a recorded Raritan PDU, and knows two servers."""
    directory = tmp_path_factory.mktemp("path") / "state"
    credentials = tmp_path_factory.mktemp("credentials")
    (credentials / "pdu.toml").write_text('version = "v2c"\ncommunity = "raritan-pdu_px3"\n')
    (credentials / "pdu.toml").chmod(0o600)
    collector = Collector(CollectorSettings(state_directory=directory, snmp_credentials=str(credentials)))
    with replay(shared / "snmp") as port:
        collector.start()
        try:
            for name in ("device-8", "web01"):
                host = new_host(collector.database, int(time.time()) - 120)
                host.inventory = Inventory(host_name=name, platform="physical")
                deliver(collector.database, host, host.report(0, 60))
            with collector.database.write() as connection:
                wanted = NewDevice("127.0.0.1", port, "pdu", "pdu-1", power_seconds=10, timeout_seconds=2.0)
                device_id = add_device(connection, wanted, "test")

            def read() -> bool:
                with collector.database.read() as connection:
                    return last_reading(connection, device_id) is not None

            wait_until(read, "the PDU to be read", 90)
            yield directory
        finally:
            collector.stop()


@pytest.fixture
def path(state: Path) -> Command:
    def run(*words: str) -> Result:
        return CliRunner().invoke(main, ["snmp", "path", *words, "--state-directory", str(state)])

    return run


def listed(path: Command, state: str = "proposed") -> dict[str, list[dict[str, object]]]:
    answer: dict[str, list[dict[str, object]]] = json.loads(path("list", "--state", state, "--output", "json").stdout)
    return answer


def test_a_proposal_is_found_confirmed_ended_taken_up_and_withdrawn(path: Command) -> None:
    assert path("find").exit_code == 0
    [one] = listed(path)["proposals"]
    assert (one["parent_name"], one["label"], one["child_name"]) == (
        "pdu-1",
        "Outlet 2 DEVICE 8:PS1:Planned",
        "device-8",
    )
    number = str(one["id"])
    assert path("confirm", number, "--dry-run").stdout == "1 would be confirmed\n"
    assert listed(path, "confirmed")["links"] == []
    assert path("confirm", number, "--from", "2026-01-01").exit_code == 0
    [link] = listed(path, "confirmed")["links"]
    assert (link["id"], link["share"], link["place"]) == (one["id"], 1.0, one["place"])
    assert number in path("list", "--state", "confirmed").stdout
    again = path("confirm", number)
    assert again.exit_code == 1
    assert "linked already" in again.stderr
    for words in (("--to", "2026-02-01"), ("--undo",), ("--as-if-never",)):
        assert path("unlink", number, *words).exit_code == 0, words
    assert listed(path, "confirmed")["links"] == []
    assert path("unlink", number, "--undo", "--as-if-never").exit_code == 2


def test_a_file_proposes_or_links_and_names_the_line_that_is_wrong(path: Command, tmp_path: Path) -> None:
    file = tmp_path / "racks.csv"
    file.write_text("parent,place,child\npdu-1,5,web01\npdu-1,6,nobody\n")
    wrong = path("import", str(file))
    assert wrong.exit_code == 1
    assert "line 3" in wrong.stderr
    assert "nothing was taken" in wrong.stderr
    file.write_text("parent,place,child,from\npdu-1,outlet/1.5.5,web01,2026-03-01\n")
    assert path("import", str(file)).stdout == "1 proposed; 0 stand so already\n"
    assert path("import", str(file), "--confirm", "--dry-run").stdout == "1 would be linked; 0 stand so already\n"
    assert path("import", str(file), "--confirm").stdout == "1 linked; 0 stand so already\n"
    assert path("import", str(file), "--confirm").stdout == "0 linked; 1 stand so already\n"
    file.write_text("parent,child,rack\npdu-1,web01,4\n")
    assert "'rack'" in path("import", str(file)).stderr


def test_places_are_listed_and_each_act_is_in_the_audit_log(path: Command, state: Path) -> None:
    shown = path("places", "pdu-1").stdout
    assert "outlet/1.1.5" in shown
    assert "snmp_counter" in shown
    made = path("link", "pdu-1", "web01", "--place", "outlet/1.7.5")
    assert made.exit_code == 0, made.output
    refused = path("link", "pdu-1", "device-8", "--place", "outlet/1.7.5")
    assert (refused.exit_code, "no part left" in refused.stderr) == (1, True)
    acts = CliRunner().invoke(main, ["collector", "audit", "list", "--output", "json", "--state-directory", str(state)])
    assert "path.link" in acts.stdout, acts.output
