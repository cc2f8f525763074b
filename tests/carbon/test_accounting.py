"""Each kilowatt-hour counted once: parts and rests are the whole, for any tree."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from carbon.accounting import Accounted, account
from carbon.best_source import Chosen, best_sources
from carbon.daily import Daily, Flow, all_days
from carbon.footprint import sum_energies
from carbon.tree_nodes import Accounting, DeviceNode, Feed, Inner, MeterNode, Purpose, Rank, Tree

KWH = 3_600_000_000_000


def amount(*days_uj: int, band: float = 0.0, estimated: bool = False) -> Daily:
    """So much on each day, which may be off by so much of it."""
    nothing = (0,) * len(days_uj)
    low, high = (tuple(round(uj * end) for uj in days_uj) for end in (1 - band, 1 + band))
    return Daily("test", nothing if estimated else days_uj, days_uj if estimated else nothing, low, high)


def flow(one: Daily) -> Flow:
    return Flow([(one, all_days(len(one.total_uj)))])


def device(name: str, kwh: float, **more: object) -> DeviceNode:
    """A device on one day."""
    one = DeviceNode(name, flow(amount(round(kwh * KWH), band=0.1)), (1.0,))
    return replace(one, **more)  # type: ignore[arg-type]  # fields of the class


def meter(number: int, owner: str, kwh: float, coverage: float = 1.0, **more: object) -> MeterNode:
    """A meter on one day."""
    one = MeterNode(number, owner, amount(round(kwh * KWH), band=0.1), (coverage,))
    return replace(one, **more)  # type: ignore[arg-type]  # fields of the class


def total_kwh(accounted: Accounted) -> float:
    return accounted.total().total_uj / KWH


def used(accounted: Accounted, name: str) -> int:
    """A device's microjoules of the one day."""
    return accounted.devices[name].on(1).total_uj


def rank_of(accounted: Accounted, name: str) -> Rank:
    """A device's source of the one day."""
    [chosen] = accounted.sources[name]
    return chosen.rank


def rests(accounted: Accounted) -> dict[int, float]:
    return {one: round(accounted.rest(one, 1).total_uj / KWH, 6) for one, days in accounted.accounts.items() if days}


def above(accounted: Accounted) -> dict[str, set[int]]:
    """The accounting meters above each device on the one day."""
    return {name: {one for one, days in found.items() if days} for name, found in accounted.above.items()}


def top(accounted: Accounted, name: str) -> list[int]:
    """The accounting meters of a device above which is no other."""
    found = above(accounted)[name]
    return sorted(one for one in found if not {other for other in accounted.above_meters[one] if other != one})


def test_without_a_tree_every_device_accounts_for_itself() -> None:
    found = account(Tree([device("a", 2), device("b", 3)]))
    assert total_kwh(found) == 5
    assert above(found) == {"a": set(), "b": set()}


def test_what_a_meter_of_ict_measures_beyond_its_devices_is_a_line_of_its_own() -> None:
    tree = Tree(
        [device("ups", 0.5), device("a", 2), device("b", 3)], [meter(1, "ups", 10)], [Feed(1, "a"), Feed(1, "b")]
    )
    found = account(tree)
    assert rests(found) == {1: 5}
    assert total_kwh(found) == 10.5
    assert above(found) == {"ups": set(), "a": {1}, "b": {1}}


def test_an_uncovered_meter_leaves_the_devices_to_account() -> None:
    found = account(Tree([device("a", 2)], [meter(1, "ups", 10, 0.8)], [Feed(1, "a")]))
    assert total_kwh(found) == 2
    assert not rests(found)


def test_parts_beyond_their_meter_are_an_alarm_and_account_for_themselves() -> None:
    found = account(Tree([device("a", 12)], [meter(1, "ups", 8)], [Feed(1, "a", 0.5), Feed(1, "b", 0.5)]))
    assert [(one.meter_id, one.measured_uj, one.parts_uj) for one in found.alarms()] == [(1, 8 * KWH, 12 * KWH)]
    assert total_kwh(found) == 12


def test_within_the_tolerance_the_rest_may_be_below_nothing_and_the_meter_holds() -> None:
    tree = Tree([device("a", 6), device("b", 4.2)], [meter(1, "ups", 10)], [Feed(1, "a"), Feed(1, "b")])
    found = account(tree)
    assert rests(found) == {1: -0.2}
    assert total_kwh(found) == 10


def test_the_topmost_covered_meter_accounts_and_those_below_are_parts_of_it() -> None:
    tree = Tree(
        [device("ups", 1), device("pdu", 0), device("a", 2), device("b", 3)],
        [meter(1, "incomer", 14), meter(2, "ups", 12), meter(3, "pdu", 7)],
        [Feed(1, "ups"), Feed(2, "pdu"), Feed(3, "a"), Feed(3, "b")],
    )
    found = account(tree)
    assert total_kwh(found) == 14
    assert rests(found) == {1: 1, 2: 5, 3: 2}
    assert {name: top(found, name) for name in found.devices} == {"ups": [1], "pdu": [1], "a": [1], "b": [1]}


def test_a_meter_of_the_whole_building_never_accounts() -> None:
    tree = Tree([device("a", 2)], [meter(1, "building", 100, purpose="whole_building")], [Feed(1, "a")])
    found = account(tree)
    assert total_kwh(found) == 2
    assert found.rest(1, 1).total_uj == 98 * KWH


def test_a_server_on_two_feeds_is_the_sum_of_its_outlets_and_counts_once() -> None:
    tree = Tree(
        [device("server", 5, rank="estimate", half_width=0.5), device("a", 0), device("b", 0)],
        [meter(1, "a", 2, outlet=True), meter(2, "b", 4, outlet=True)],
        [Feed(1, "server"), Feed(2, "server")],
    )
    found = account(tree)
    assert used(found, "server") == 6 * KWH
    assert rank_of(found, "server") == "outlet"
    assert total_kwh(found) == 6


def test_one_uncovered_feed_of_two_leaves_the_machines_own_meter() -> None:
    tree = Tree(
        [device("server", 5)],
        [meter(1, "a", 2, outlet=True), meter(2, "b", 4, 0.5, outlet=True)],
        [Feed(1, "server"), Feed(2, "server")],
    )
    assert rank_of(account(tree), "server") == "machine"


def test_an_inlet_holds_its_outlets() -> None:
    tree = Tree(
        [device("pdu", 0), device("a", 2, rank="estimate"), device("b", 3, rank="estimate")],
        [meter(1, "pdu", 9), meter(2, "pdu", 2.5, outlet=True), meter(3, "pdu", 4, outlet=True)],
        [Feed(2, "a"), Feed(3, "b")],
        [Inner(1, 2), Inner(1, 3)],
    )
    found = account(tree)
    assert total_kwh(found) == 9
    assert rests(found) == {1: 2.5, 2: 0, 3: 0}
    assert [used(found, name) for name in "ab"] == [2.5 * KWH, 4 * KWH]


def best(own: DeviceNode, *outlets: MeterNode) -> Chosen:
    """The one source of the one day."""
    [found] = best_sources(own, outlets, 1)
    return found


def test_the_reason_of_a_source_is_said() -> None:
    own = device("server", 5, half_width=0.1)
    assert best(own).reason == "a meter of the whole machine: no metered outlet"
    assert best(own, meter(1, "pdu", 5)).rank == "outlet"
    assert best(replace(own, half_width=0.02), meter(1, "pdu", 5)).reason.startswith("a meter of the whole machine")


def test_a_machine_that_measures_more_than_its_outlets_has_a_feed_that_nobody_drew() -> None:
    own = device("server", 10)
    chosen = best(own, meter(1, "pdu", 5, outlet=True))
    assert (chosen.rank, "a feed of it is not known" in chosen.reason) == ("machine", True)
    assert best(replace(own, rank="estimate"), meter(1, "pdu", 5, outlet=True)).rank == "outlet"
    # Within what its own meter may be off the outlet holds.
    assert best(device("server", 5.4), meter(1, "pdu", 5, outlet=True)).rank == "outlet"


def test_every_accounting_meter_above_is_named_and_an_alarm_is_told_though_a_meter_never_accounts() -> None:
    tree = Tree(
        [device("a", 2), device("b", 3), device("pdu", 0), device("alone", 1)],
        [meter(1, "ups", 9), meter(2, "pdu", 6), meter(3, "other", 0.5, accounting="never")],
        [Feed(1, "pdu"), Feed(2, "a"), Feed(2, "b"), Feed(3, "alone")],
    )
    found = account(tree)
    assert above(found) == {"a": {1, 2}, "b": {1, 2}, "pdu": {1}, "alone": set()}
    assert found.above_meters == {1: {1: 1}, 2: {1: 1, 2: 1}, 3: {}}
    assert {one: parts.on(1).total_uj / KWH for one, parts in found.parts.items()} == {1: 6, 2: 5, 3: 1}
    assert [one.meter_id for one in found.alarms()] == [3]


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Trees of up to four levels, whose meters measure at least what is below them, with A and B feeds among them."""
    devices: list[DeviceNode] = []
    meters: list[MeterNode] = []
    feeds: list[Feed] = []
    need: dict[str, int] = {}

    def leaf() -> str:
        name = f"d{len(devices)}"
        uj = draw(st.integers(0, 10**6))
        devices.append(DeviceNode(name, flow(amount(uj)), (1.0,), draw(st.sampled_from(["machine", "estimate"]))))
        need[name] = uj
        return name

    def distributor(level: int) -> str:
        """A device that passes on through one meter of its own."""
        name = f"d{len(devices)}"
        loss = draw(st.integers(0, 1000))
        devices.append(DeviceNode(name, flow(amount(loss)), (1.0,)))
        number = len(meters) + 1
        meters.append(MeterNode(number, name, amount(0), (1.0,)))
        children = [node(level + 1) for _ in range(draw(st.integers(2, 3)))]
        below = sum(need[child] for child in children)
        measured = below + draw(st.integers(0, 10**5))
        covered = draw(st.sampled_from([1.0, 1.0, 0.5]))
        meters[number - 1] = MeterNode(number, name, amount(measured), (covered,))
        feeds.extend(Feed(number, child, None) for child in children)
        need[name] = loss + (measured if covered == 1.0 else below)
        return name

    def node(level: int) -> str:
        return leaf() if level >= 3 or draw(st.booleans()) else distributor(level)

    for _ in range(draw(st.integers(1, 3))):
        node(0)
    return Tree(devices, meters, feeds)


def by_hand(tree: Tree) -> int:
    """The total by going down from every device that nothing feeds, in plain numbers."""
    own = {one.id: one.energy.on(1).total_uj for one in tree.devices}
    fed = {one.device_id for one in tree.feeds}
    children: dict[int, list[str]] = {}
    for feed in tree.feeds:
        children.setdefault(feed.meter_id, []).append(feed.device_id)

    def branch(name: str) -> int:
        found = own[name]
        for one in tree.meters:
            if one.device_id == name:
                parts = sum(branch(child) for child in children.get(one.id, []))
                found += one.energy.total_uj[0] if one.coverage == (1.0,) else parts
        return found

    return sum(branch(name) for name in own if name not in fed)


@given(trees())
def test_the_total_is_what_the_topmost_meters_measured_and_every_device_outside_them(tree: Tree) -> None:
    found = account(tree)
    assert not found.alarms()
    assert found.total().total_uj == by_hand(tree)


@given(trees())
def test_what_is_below_an_accounting_meter_and_all_rests_there_are_its_energy(tree: Tree) -> None:
    found = account(tree)
    owner = {one.id: one.device_id for one in tree.meters}
    tops = {name: top(found, name) for name in found.devices}
    measured = {one.id: one.energy.total_uj[0] for one in tree.meters}
    for meter_id in {meters[0] for meters in tops.values() if meters}:
        below = sum(used(found, name) for name in found.devices if tops[name] == [meter_id])
        below += sum(
            found.rest(one, 1).total_uj
            for one, days in found.accounts.items()
            if days and (one == meter_id or tops[owner[one]] == [meter_id])
        )
        assert below == measured[meter_id]


@given(trees(), st.integers(0, 3))
def test_a_meter_more_above_never_counts_a_branch_twice(tree: Tree, spare: int) -> None:
    fed = {one.device_id for one in tree.feeds}
    roots = [one.id for one in tree.devices if one.id not in fed]
    whole = account(tree).total().total_uj
    incomer = MeterNode(999, "incomer", amount(whole + spare), (1.0,))
    more = Tree(tree.devices, [*tree.meters, incomer], [*tree.feeds, *(Feed(999, root, None) for root in roots)])
    if len(roots) > 1:
        assert account(more).total().total_uj == whole + spare


@given(trees())
def test_two_feeds_of_a_branch_count_it_once(tree: Tree) -> None:
    """A and B each measure half; an unmetered rest stays a rest."""
    fed = {one.device_id for one in tree.feeds}
    roots = [one.id for one in tree.devices if one.id not in fed]
    whole = account(tree).total().total_uj
    half, other = whole // 2, whole - whole // 2
    a, b = (MeterNode(number, "incomer", amount(uj), (1.0,)) for number, uj in ((998, half + 7), (999, other + 7)))
    feeds = [*tree.feeds, *(Feed(number, root, None) for root in roots for number in (998, 999))]
    found = account(Tree(tree.devices, [*tree.meters, a, b], feeds))
    if len(roots) > 1 and not found.alarms():
        assert found.total().total_uj == whole + 14


accountings: st.SearchStrategy[Accounting] = st.sampled_from(["auto", "auto", "never", "always"])
purposes: st.SearchStrategy[Purpose] = st.sampled_from(["ict", "ict", "whole_building"])
own_sources: st.SearchStrategy[tuple[Rank, float]] = st.sampled_from(
    [("machine", 0.1), ("machine", 0.02), ("supplies", 0.1), ("estimate", 0.5)]
)


@st.composite
def trees_of_days(draw: st.DrawFn) -> Tree:
    """A room's meter, two PDUs with outlets, and servers on one or two feeds, of which much is different on every day."""
    days = draw(st.integers(2, 6))
    columns = st.lists(st.integers(0, 10**6), min_size=days, max_size=days)
    read = st.lists(st.sampled_from([1.0, 1.0, 0.97, 0.9, 0.5]), min_size=days, max_size=days)

    def drawn() -> Daily:
        return amount(*draw(columns), band=draw(st.sampled_from([0.05, 0.5])), estimated=draw(st.booleans()))

    devices, meters, feeds, inner = [], [], [], []
    for pdu, first in (("pdu-a", 10), ("pdu-b", 20)):
        devices.append(DeviceNode(pdu, flow(drawn()), draw(read)))
        meters.append(MeterNode(first, pdu, drawn(), draw(read), accounting=draw(accountings)))
        feeds.append(Feed(1, pdu, None))
        outlets = draw(st.integers(0, 2))
        meters += [MeterNode(first + n, pdu, drawn(), draw(read), outlet=True) for n in range(1, outlets + 1)]
        inner += [Inner(first, first + n) for n in range(1, outlets + 1)]
    meters.append(MeterNode(1, "room", drawn(), draw(read), purpose=draw(purposes)))
    known = {one.id for one in meters}
    for number in (1, 2):
        rank, width = draw(own_sources)
        devices.append(DeviceNode(f"server-{number}", flow(drawn()), draw(read), rank, width))
        for first in draw(st.sampled_from([(10,), (20,), (10, 20)])):
            outlet = first + number
            feeds.append(Feed(outlet if outlet in known else first, f"server-{number}", None))
    return Tree(devices, meters, feeds, inner, days)


def of_day(tree: Tree, day: int) -> Tree:
    """One day of a tree by itself."""

    def cut(one: Daily) -> Daily:
        return Daily("test", (one.measured_uj[day],), (one.estimated_uj[day],), (one.low_uj[day],), (one.high_uj[day],))

    devices = [
        replace(one, energy=flow(cut(one.energy.terms[0][0])), coverage=(one.coverage[day],)) for one in tree.devices
    ]
    meters = [replace(one, energy=cut(one.energy), coverage=(one.coverage[day],)) for one in tree.meters]
    return Tree(devices, meters, tree.feeds, tree.inner)


@given(trees_of_days())
def test_days_accounted_for_at_once_are_to_the_microjoule_each_day_by_itself(tree: Tree) -> None:
    found = account(tree)
    days = [account(of_day(tree, number)) for number in range(tree.days)]
    whole = all_days(tree.days)
    for one in tree.devices:
        expected = sum_energies(of.devices[one.id].on(1) for of in days)
        assert found.devices[one.id].on(whole) == expected
        assert found.devices[one.id].on(whole).errors == expected.errors
        for number, of in enumerate(days):
            assert [(c.rank, c.reason) for c in found.sources[one.id] if c.days >> number & 1] == [
                (c.rank, c.reason) for c in of.sources[one.id]
            ]
            assert {m for m, held in found.above[one.id].items() if held >> number & 1} == set(of.above[one.id])
    for meter_id, parts in found.parts.items():
        assert parts.on(whole) == sum_energies(of.parts[meter_id].on(1) for of in days)
        accounts = found.accounts[meter_id]
        assert [accounts >> number & 1 for number in range(tree.days)] == [of.accounts[meter_id] for of in days]
        rest = found.rest(meter_id, accounts)
        each = sum_energies(of.rest(meter_id, 1) for of in days if of.accounts[meter_id])
        assert (rest.measured_uj, rest.estimated_uj, rest.errors) == (each.measured_uj, each.estimated_uj, each.errors)
        # Errors add up before they are weighed: the bounds of days that are added up are never closer.
        assert each.low_uj <= rest.low_uj <= rest.high_uj <= each.high_uj
    told = [(of.meter_id, number, of.parts_uj) for number, one in enumerate(days) for of in one.alarms()]
    assert sorted((one.meter_id, one.day, one.parts_uj) for one in found.alarms()) == sorted(told)
