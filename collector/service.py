"""A running collector put together: database, writer, ingest, pumps and schedules; started and stopped in order."""

import datetime
import logging
import resource
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from apscheduler.events import EVENT_JOB_MISSED
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Connection, select

from agent.files import text_or_empty, write_durably
from collector.adoption import adopt
from collector.claim import forget_old_hashes
from collector.database.engine import Database, open_database
from collector.database.locks import cluster_job
from collector.database.migrate import migrate
from collector.database.schema import collector_instance, organisation
from collector.database.upsert import upsert
from collector.database.writer import Writer
from collector.errors import CollectorError
from collector.grid_intensity import ROUND_SECONDS
from collector.ingest import Ingest
from collector.keys import DAY_SECONDS
from collector.ledger import forget_old_facts
from collector.limits import Limits
from collector.lines import SeriesTemplate
from collector.metering_alarms import alarms_of_yesterday, note_alarms
from collector.outbox import OutboxDepth, Pump, Trim, append, trim, waiting
from collector.people.configuration import limits_of
from collector.people.service import forget
from collector.prepare import Batch, pack
from collector.rolling import write_round
from collector.running_totals import TotalsCache
from collector.settings import CollectorSettings, credentials_directory
from collector.snmp.estimate import own_estimate
from collector.snmp.leases import Leases
from collector.snmp.named_credentials import named
from collector.snmp.opening import open_client
from collector.snmp.path_search import search
from collector.snmp.poller import Poller
from collector.snmp.traps.listener import TrapListener
from collector.snmp.traps.record import forget_old_events
from collector.stores.embedded import EmbeddedStore
from collector.stores.influx import InfluxSettings, InfluxStore
from collector.stores.port import Store

logger = logging.getLogger(__name__)

ROLL_SECONDS = 30
HOUSE_SECONDS = 15
"""Between heartbeats. Well under DEAD_SECONDS; it also tells within seconds that a full disk has room again."""
OWN_POINT_SECONDS = 60
OUTBOX_SHARE_OF_DISK = 0.2
OUTBOX_LARGEST_BYTES = 20 * 10**9
CLOCK_SECONDS = 30
SEARCH_SECONDS = 900
"""Between looks for what outlets and PoE ports feed."""
METERING_SECONDS = 3 * 3600
FILLS_SECONDS = 6 * 3600
FIRST_FILLS_SECONDS = 600
"""Reports can wait for it: a collector that has just started has reports of hosts to take."""
"""Between looks whether parts exceed their meter: of yesterday, which late readings may still change."""


class Collector:
    """Everything a collector does but HTTP. `start()` begins the schedules; `stop()` leaves nothing half done."""

    def __init__(self, settings: CollectorSettings) -> None:
        self.settings = settings
        self.outbox_dropped = 0
        self.misfires = 0
        directory = settings.state_directory
        self.database: Database = open_database(settings.database or directory / "ictagent.db")
        migrate(self.database)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.collector_id = _collector_id(directory / "collector-id")
        self.writer = Writer(self.database)
        self.key_seconds = settings.key_days * DAY_SECONDS
        self.ingest = Ingest(
            self.database, self.writer, self.collector_id, self._recorded, self.clock_ns, self.key_seconds
        )
        self.limits = Limits(settings.enrolments_per_minute)
        self.authority_pem = b""
        """The certificate of the collector's own authority, where it has one."""
        self.totals = TotalsCache(self.database)
        self.points = EmbeddedStore(directory / "points.db")
        self.pumps: list[Pump] = []
        self.poller = Poller(
            self.database,
            self.writer,
            self.ingest,
            open_client,
            partial(named, credentials_directory(settings)),
            own_estimate,
            Leases(self.database, self.collector_id),
        )
        self.traps = TrapListener(
            self.database,
            self.writer,
            self.collector_id,
            partial(named, credentials_directory(settings)),
            self.poller.ask_again,
            settings.snmp_trap_listen,
            directory,
            link_events=settings.snmp_link_events,
            recorded=self._recorded,
        )
        self._grid_problem = ""
        """Why the last round of the grid's intensity failed."""
        self._stopping = threading.Event()
        self._scheduler = BackgroundScheduler(
            job_defaults={"misfire_grace_time": CLOCK_SECONDS, "coalesce": True, "max_instances": 1}, timezone="UTC"
        )

    def clock_ns(self) -> int:
        """The collector's clock, which dates what hosts with a wrong one send."""
        return time.time_ns()

    def start(self) -> None:
        self.writer.run(_heartbeat, (self.collector_id, int(time.time())))
        stores: list[Store] = [self.points]
        if self.settings.influx_url:
            stores.append(InfluxStore(_influx_settings(self.settings)))
        self.pumps = [Pump(self.database, self.writer, store, self.collector_id) for store in stores]
        self._scheduler.add_listener(self._missed, EVENT_JOB_MISSED)
        # Each runs at once too: what fell due while no collector ran need not wait, and a restart may be daily.
        for job, seconds in (
            (self.roll_due, ROLL_SECONDS),
            (self._keep_house, HOUSE_SECONDS),
            (self._write_own_point, OWN_POINT_SECONDS),
            (self._forget, 6 * 3600),
            (self.search_power_path, SEARCH_SECONDS),
            (self.check_metering, METERING_SECONDS),
        ):
            at = datetime.datetime.now(datetime.UTC)
            self._scheduler.add_job(self._guarded, "interval", seconds=seconds, args=[job], next_run_time=at)
        at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=FIRST_FILLS_SECONDS)
        job = self.keep_fills
        self._scheduler.add_job(self._guarded, "interval", seconds=FILLS_SECONDS, args=[job], next_run_time=at)
        if self.settings.grid_intensity:
            at = datetime.datetime.now(datetime.UTC)
            job = self.fetch_grid_intensity
            self._scheduler.add_job(self._guarded, "interval", seconds=ROUND_SECONDS, args=[job], next_run_time=at)
        self._scheduler.start()
        self.poller.start()
        self.traps.start()

    def stop(self) -> None:
        """Stop schedules and pumps, write what is queued, close the database."""
        self._stopping.set()
        self.traps.stop()
        self.poller.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        for pump in self.pumps:
            pump.stop()
        self.writer.close()
        self.database.close()

    def roll_due(self, now: int | None = None) -> int:
        """Write the ledger rows that are due, of all devices; and the series of days whose history was edited; how many."""
        at = int(time.time()) if now is None else now
        with cluster_job(self.database, "ledger") as mine:
            written = self._write_round(at) if mine else 0
        if written:
            self._recorded()
        return written

    def _write_round(self, now: int) -> int:
        return write_round(self.database, self.writer, self.collector_id, now, self._stopping)

    def count_host_missing(self, counted: bool) -> None:
        """Whether guests whose host is unknown enter the totals."""
        with self.database.write() as connection:
            connection.execute(organisation.update().values(count_host_missing=counted))

    def outbox_depth(self) -> OutboxDepth:
        """What waits for the slowest store."""
        with self.database.read() as connection:
            return waiting(connection, self.collector_id, [pump.state.target for pump in self.pumps])

    def problems(self) -> list[dict[str, Any]]:
        """What is wrong now: `blocking` where reports cannot be taken."""
        found: list[dict[str, Any]] = []
        try:
            with self.database.read() as connection:
                connection.execute(select(1))
            failure: CollectorError | None = self.writer.problem
        except CollectorError as error:
            failure = error
        if failure is not None:
            found.append(
                {"subject": "database", "blocking": True, "message": failure.message, "remedy": failure.remedy}
            )
        found.extend(
            {
                "subject": f"store {pump.state.target}",
                "blocking": False,
                "message": pump.state.problem,
                "remedy": pump.state.remedy,
            }
            for pump in self.pumps
            if pump.state.problem
        )
        if self._grid_problem:
            remedy = "it is asked again every half-hour; see `ictagent carbon intensity status`"
            message = self._grid_problem
            found.append({"subject": "grid intensity", "blocking": False, "message": message, "remedy": remedy})
        if self.traps.state.problem:
            remedy = "see snmp_trap_listen: the address must be this machine's, the port free, and below 1024 allowed"
            found.append({"subject": "traps", "blocking": False, "message": self.traps.state.problem, "remedy": remedy})
        return found

    def _recorded(self) -> None:
        for pump in self.pumps:
            pump.wake()

    def _missed(self, _event: object) -> None:
        self.misfires += 1

    def _guarded(self, job: Any) -> None:
        """A job that fails says so and runs again at its next time."""
        try:
            job()
        except CollectorError as error:
            logger.error("%s: %s; %s", job.__name__, error.message, error.remedy)  # noqa: TRY400  # said, not traced

    def _keep_house(self) -> None:
        self.writer.run(_heartbeat, (self.collector_id, int(time.time())))
        if self.writer.run(adopt, self.collector_id):
            self._recorded()
        targets = tuple(pump.state.target for pump in self.pumps)
        total = shutil.disk_usage(self.settings.state_directory).total
        limit = min(OUTBOX_LARGEST_BYTES, int(total * OUTBOX_SHARE_OF_DISK))
        wanted = Trim(self.collector_id, targets, limit)
        while True:
            finished, dropped = self.writer.run(trim, wanted)
            self.outbox_dropped += dropped
            if dropped:
                logger.warning("the outbox is full: %d of its oldest batches were dropped", dropped)
            if not finished and not dropped:
                return

    def _write_own_point(self) -> None:
        """The collector's point about itself, into the outbox like any other."""
        now_ns = self.clock_ns()
        waiting = self.outbox_depth()
        counters = self.ingest.counters
        values: dict[str, int | float] = {
            "reports_accepted": counters.accepted,
            "reports_refused": counters.refused,
            "rows_rejected": counters.rows_rejected,
            "outbox_batches": waiting.batches,
            "outbox_bytes": waiting.bytes,
            "resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "cpu_seconds": round(time.process_time(), 3),
        }
        template = SeriesTemplate("ictagent_collector", {"collector": self.collector_id}, list(values))
        batch = pack(template.lines([(now_ns, list(values.values()))]), [now_ns])
        self.writer.run(_append_batch, (self.collector_id, now_ns // 10**9, batch))
        self._recorded()

    def search_power_path(self) -> None:
        """Look for what feeds what: proposals, which a person decides."""

        def write(handler: Callable[[Connection], int]) -> int:
            found: int = self.writer.run(lambda connection, _items: [handler(connection)], None)
            return found

        with cluster_job(self.database, "power_path") as mine:
            if mine:
                search(self.database, write, int(time.time()))

    def check_metering(self) -> None:
        """Look whether the metering tree can be so: a part that is more than its whole becomes a diagnosis."""
        now = int(time.time())
        with cluster_job(self.database, "metering") as mine:
            if mine:
                with self.database.read() as connection:
                    found = alarms_of_yesterday(connection, now)
                self.writer.run(lambda connection, _items: [note_alarms(connection, found, now)], None)

    def fetch_grid_intensity(self) -> None:
        """Ask for the grid's intensity: the newest half-hours, gaps, and forecasts. Failures are kept and shown."""
        # Loaded where it is used only: it brings httpx along.
        from collector.grid_intensity.round import grid_round  # noqa: PLC0415

        with cluster_job(self.database, "grid_intensity") as mine:
            if mine:
                found = grid_round(self.database, self.writer, self.collector_id, self.settings)
                self._grid_problem = "; ".join(found.problems)
                if found.problems:
                    logger.warning("grid intensity: %s", self._grid_problem)
                if found.slots:
                    self._recorded()

    def keep_fills(self) -> None:
        """Reckon what stands for gaps in this and the last financial year, so that reports find it ready."""
        # Loaded where it is used only: most of the footprint comes along.
        from collector.fill_keeping import keep_recent_fills  # noqa: PLC0415

        with cluster_job(self.database, "gap_fills") as mine:
            if mine:
                keep_recent_fills(self.database, int(time.time()), self._stopping)

    def _forget(self) -> None:
        now = int(time.time())
        self.writer.run(lambda connection, _items: [forget_old_hashes(connection, now)], None)
        self.writer.run(lambda connection, _items: [forget_old_facts(connection, now)], None)
        self.writer.run(lambda connection, _items: [forget_old_events(connection, now)], None)
        self.writer.run(forget, (now, limits_of(self.settings)))


def _collector_id(path: Path) -> str:
    """This collector's id, random, kept beside its state: its outbox rows carry it."""
    found = text_or_empty(path)
    if not found:
        found = secrets.token_hex(6)
        write_durably(path, found.encode())
    return found


def _heartbeat(connection: Connection, items: Sequence[tuple[str, int]]) -> list[None]:
    rows = [
        {"id": one, "host_name": socket.gethostname(), "started_at": now, "heartbeat_at": now} for one, now in items
    ]
    upsert(connection, collector_instance, rows, ("heartbeat_at", "host_name"))
    return [None] * len(items)


def _append_batch(connection: Connection, items: Sequence[tuple[str, int, Batch | None]]) -> list[None]:
    for collector_id, now, batch in items:
        append(connection, collector_id, now, [batch])
    return [None] * len(items)


def _influx_settings(settings: CollectorSettings) -> InfluxSettings:
    return InfluxSettings(
        settings.influx_url,
        settings.influx_bucket,
        settings.influx_org,
        Path(settings.influx_token_file) if settings.influx_token_file else None,
        retention_days=settings.influx_retention_days or None,
    )
