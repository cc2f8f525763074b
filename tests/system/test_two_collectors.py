"""Two collectors on one PostgreSQL: both take reports of the same hosts, and one that dies leaves nothing behind."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select, update

from collector.database.locks import DEAD_SECONDS
from collector.database.schema import collector_instance, outbox
from tests.collector.hosts import recent_half_hour
from tests.servers.agents import Load, hosts_since
from tests.servers.ictagent import CollectorProgram
from tests.servers.influxd import Influxd
from tests.servers.process import wait_until
from tests.system.comparing import influx_points, ledger_by_device, marks, memory, sent_memory, wait_for_ledger

HOSTS = 30
REPORTS = 6


def test_both_take_reports_and_the_living_one_delivers_what_the_dead_one_took(
    keep: Callable[[CollectorProgram], CollectorProgram], postgres_url: str, influx: Influxd, tmp_path: Path
) -> None:
    options = ["--database", postgres_url, "--influx-url", influx.url, "--influx-token-file", str(influx.token_file)]
    influx.stop()
    one, other = (keep(CollectorProgram(tmp_path / name, options)) for name in ("one", "other"))
    # Together, on an empty database: one migrates it, the other waits.
    one.begin()
    other.begin()
    one.wait_for_answers()
    other.wait_for_answers()
    hosts = hosts_since(recent_half_hour(4) + 600, HOSTS)
    load = Load([one.url, other.url], one.token(HOSTS), hosts, REPORTS)
    load.start()
    wait_until(lambda: load.acknowledged >= HOSTS * REPORTS // 2, "half of the reports")
    for collector in (one, other):
        # Each has half of the hosts; a busy machine may serve one of them first.
        wait_until(lambda: collector.metric("ictagent_reports_accepted_total") > HOSTS, "a share of each")  # noqa: B023  # it is waited for here
    one.kill()
    load.finish()
    dead = (one.state_directory / "collector-id").read_text()
    with other.database() as database:
        with database.write() as connection:
            # Five minutes pass.
            connection.execute(
                update(collector_instance)
                .where(collector_instance.c.id == dead)
                .values(heartbeat_at=collector_instance.c.heartbeat_at - DEAD_SECONDS - 1)
            )

        def left() -> int:
            with database.read() as connection:
                query = select(func.count()).select_from(outbox).where(outbox.c.collector_id == dead)
                return int(connection.execute(query).scalar_one())

        wait_until(lambda: left() == 0, "the adoption of the dead collector's outbox")
    influx.start()
    wait_for_ledger(other)
    assert ledger_by_device(other) == {host.device_id: host.energy_uj for host in hosts}
    assert marks(other) == {f"stream-of-{host.name}": (REPORTS, REPORTS) for host in hosts}
    sent = sent_memory(hosts)
    wait_until(lambda: len(influx_points(influx, "system_memory")) >= len(sent), "all points in InfluxDB", 45)
    assert memory(influx_points(influx, "system_memory")) == sent
