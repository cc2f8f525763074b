"""One branch of the metering tree over time: each period in which it does not change, accounted for as a whole."""

from carbon.accounting import Accounted as Account
from carbon.accounting import account
from carbon.daily import Column, Days, Flow, last_of, sum_on
from carbon.footprint import Energy, sum_energies
from carbon.tree_nodes import DeviceNode, MeterNode, Tree
from collector.metered import Metering, MeterMonth, TreeAlarm
from collector.metering_amounts import Amounts
from collector.metering_nodes import Branch, Node
from collector.metering_periods import Estate, Period, periods
from collector.metering_rows import Own, PeriodRows
from collector.metering_time import coverage
from collector.segments import Segment
from collector.snmp.places import ONE_FOR_ONE
from collector.totals import possible_seconds

NOT_ALL_LINKED = "devices in the same place are linked to nothing: what it measured beyond its parts may be theirs"


class BranchAccount:
    """Accounts for one branch; rows are added to `found`."""

    def __init__(self, estate: Estate, branch: Branch, amounts: Amounts, found: Metering) -> None:
        self._estate = estate
        self._branch = branch
        self._amounts = amounts
        self._found = found
        self._noted: dict[tuple[str, int, str], list[Energy]] = {}
        """What is to be added to the amounts of each meter's month, period after period."""

    def run(self, start: int, end: int) -> None:
        """Account from a half-hour to before another, each at the beginning of a local day; not beyond now."""
        for period in periods(self._estate, self._branch, start, end):
            self._account(period)
        for (month, meter_id, name), amounts in self._noted.items():
            one = self._found.meter(month, meter_id)
            before: Energy = getattr(one, name)
            known = amounts if before == Energy() else [before, *amounts]
            setattr(one, name, known[0] if len(known) == 1 else sum_energies(known))

    def _account(self, period: Period) -> None:
        time, shape = period.time, period.shape
        devices = {device_id: self._own(device_id, one, period) for device_id, one in period.segments.items()}
        nothing = (0,) * len(time.days)
        for device_id in period.metered_only:
            devices[device_id] = Own(DeviceNode(device_id, Flow(), nothing, "none"), nothing, nothing)
        covered: dict[int, Column] = {}
        meters = []
        for node in shape.nodes:
            energy, covered[node.meter.id] = self._amounts.of_meter(node.meter.id, time)
            read = coverage(covered[node.meter.id], time.written, time)
            accounting = "never" if node.meter.id in period.withheld else node.setting.accounting
            meters.append(
                MeterNode(
                    node.meter.id,
                    node.device,
                    energy,
                    read,
                    node.setting.purpose,  # type: ignore[arg-type]  # the table's check
                    accounting,  # type: ignore[arg-type]  # the table's check
                    node.meter.role in ONE_FOR_ONE,
                    not node.fed,
                )
            )
        tree = Tree([one.node for one in devices.values()], meters, shape.feeds, shape.inner, len(time.days))
        found = account(tree)
        rows = PeriodRows(self._estate, self._branch, period, found, covered)
        self._found.rows.extend(rows.of_devices(devices))
        self._found.rows.extend(rows.of_rests())
        for month, days in time.months:
            for node in shape.nodes:
                self._note(period, found, node, covered[node.meter.id], month, days)
        for alarm in sorted(found.alarms(), key=lambda one: one.day):
            device_id = self._branch.meters[alarm.meter_id].device_id
            start, end = time.starts[alarm.day], time.ends[alarm.day]
            self._found.alarms.append(
                TreeAlarm(alarm.meter_id, device_id, start, end, alarm.measured_uj, alarm.parts_uj)
            )

    def _own(self, device_id: str, segment: Segment, period: Period) -> Own:
        time, source = period.time, period.sources[device_id]
        energy, covered = self._amounts.of_device(segment, time)
        possible, written = time.past, time.written
        if segment.first_heard > time.start:
            both = list(zip(time.starts, time.ends, strict=True))
            now = self._estate.now
            possible = tuple(possible_seconds(segment, start, min(end, now)) for start, end in both)
            written = tuple(
                possible_seconds(segment, start, start + seconds)
                for start, seconds in zip(time.starts, time.written, strict=True)
            )
        read = coverage(covered, written, time)
        return Own(DeviceNode(device_id, energy, read, source.rank, source.half_width), covered, possible)

    def _note(self, period: Period, found: Account, node: Node, covered: Column, month: str, days: Days) -> None:
        """What a meter measured in a month's days, and what is known below it."""
        meter_id = node.meter.id
        one = self._found.meter(month, meter_id)
        one.covered_seconds += sum_on(covered, days)
        one.possible_seconds += sum_on(period.time.past, days)
        energy = found.meters[meter_id].energy.on(days)
        self._add(month, meter_id, "energy", energy)
        parts = found.parts.get(meter_id)
        if parts is not None:
            self._add(month, meter_id, "parts", parts.on(days))
        if node.setting.purpose == "whole_building" and parts is not None:
            self._add(month, meter_id, "not_ict", found.rest(meter_id, days))
        if node.setting.purpose != "ict":
            return
        accounts = days & found.accounts.get(meter_id, 0)
        if accounts and parts is not None:
            self._add(month, meter_id, "rest", found.rest(meter_id, accounts))
        if left := days & ~accounts:
            known = parts.on(left) if parts is not None else Energy()
            self._add(month, meter_id, "withheld", found.meters[meter_id].energy.on(left) + -known)
            self._say_why(one, period, found, node, left)

    def _add(self, month: str, meter_id: int, name: str, amount: Energy) -> None:
        self._noted.setdefault((month, meter_id, name), []).append(amount)

    @staticmethod
    def _say_why(one: MeterMonth, period: Period, found: Account, node: Node, days: Days) -> None:
        """Why a meter did not account, on the last of some days of which that can be said."""
        meter_id = node.meter.id
        if node.setting.accounting == "never":
            one.why = "a person said that it never accounts"
            return
        too_much = found.too_much.get(meter_id, 0)
        read = found.meters[meter_id].coverage
        while days:
            day = last_of(days)
            days &= ~(1 << day)
            if too_much >> day & 1:
                one.why = "its parts are more than it measured"
            elif meter_id in period.withheld:
                one.why = NOT_ALL_LINKED
            elif period.time.written[day] > 0:
                one.why = f"it was read for {read[day]:.0%} of the time only"
            else:
                continue
            return
