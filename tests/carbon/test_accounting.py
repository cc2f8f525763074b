"""Each kilowatt-hour counted once: parts and rests are the whole, for any tree."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from carbon.accounting import Accounted, DeviceNode, Feed, Inner, MeterNode, Tree, account, best_source
from carbon.footprint import Energy

KWH = 3_600_000_000_000


def energy(kwh: float, *, estimated: bool = False) -> Energy:
    uj = round(kwh * KWH)
    return Energy(0 if estimated else uj, uj if estimated else 0, round(uj * 0.9), round(uj * 1.1))


def device(name: str, kwh: float, **more: object) -> DeviceNode:
    return replace(DeviceNode(name, energy(kwh)), **more)  # type: ignore[arg-type]  # fields of the class


def meter(number: int, owner: str, kwh: float, coverage: float = 1.0, **more: object) -> MeterNode:
    return replace(MeterNode(number, owner, energy(kwh), coverage), **more)  # type: ignore[arg-type]  # fields of the class


def total_kwh(accounted: Accounted) -> float:
    return accounted.total.total_uj / KWH


def rests(accounted: Accounted) -> dict[int, float]:
    return {one.meter_id: round(one.energy.total_uj / KWH, 6) for one in accounted.rests}


def test_without_a_tree_every_device_accounts_for_itself() -> None:
    found = account(Tree([device("a", 2), device("b", 3)]))
    assert total_kwh(found) == 5
    assert not found.under


def test_what_a_meter_of_ict_measures_beyond_its_devices_is_a_line_of_its_own() -> None:
    tree = Tree(
        [device("ups", 0.5), device("a", 2), device("b", 3)], [meter(1, "ups", 10)], [Feed(1, "a"), Feed(1, "b")]
    )
    found = account(tree)
    assert rests(found) == {1: 5}
    assert total_kwh(found) == 10.5
    assert found.under == {"a": [1], "b": [1]}


def test_an_uncovered_meter_leaves_the_devices_to_account() -> None:
    found = account(Tree([device("a", 2)], [meter(1, "ups", 10, 0.8)], [Feed(1, "a")]))
    assert total_kwh(found) == 2
    assert not found.rests


def test_parts_beyond_their_meter_are_an_alarm_and_account_for_themselves() -> None:
    found = account(Tree([device("a", 12)], [meter(1, "ups", 8)], [Feed(1, "a", 0.5), Feed(1, "b", 0.5)]))
    assert [(one.meter_id, one.measured_uj, one.parts_uj) for one in found.alarms] == [(1, 8 * KWH, 12 * KWH)]
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
    assert found.under == {"ups": [1], "pdu": [1], "a": [1], "b": [1]}


def test_a_meter_of_the_whole_building_never_accounts() -> None:
    tree = Tree([device("a", 2)], [meter(1, "building", 100, purpose="whole_building")], [Feed(1, "a")])
    found = account(tree)
    assert total_kwh(found) == 2
    assert found.not_ict[1].total_uj == 98 * KWH


def test_a_server_on_two_feeds_is_the_sum_of_its_outlets_and_counts_once() -> None:
    tree = Tree(
        [device("server", 5, rank="estimate", half_width=0.5), device("a", 0), device("b", 0)],
        [meter(1, "a", 2, outlet=True), meter(2, "b", 4, outlet=True)],
        [Feed(1, "server"), Feed(2, "server")],
    )
    found = account(tree)
    assert found.devices["server"].energy.total_uj == 6 * KWH
    assert found.devices["server"].rank == "outlet"
    assert total_kwh(found) == 6


def test_one_uncovered_feed_of_two_leaves_the_machines_own_meter() -> None:
    tree = Tree(
        [device("server", 5)],
        [meter(1, "a", 2, outlet=True), meter(2, "b", 4, 0.5, outlet=True)],
        [Feed(1, "server"), Feed(2, "server")],
    )
    assert account(tree).devices["server"].rank == "machine"


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
    assert [found.devices[name].energy.total_uj for name in "ab"] == [2.5 * KWH, 4 * KWH]


def test_the_reason_of_a_source_is_said() -> None:
    own = device("server", 5, half_width=0.1)
    assert best_source(own, [])[1] == "a meter of the whole machine: no metered outlet"
    assert best_source(own, [meter(1, "pdu", 5)])[0].rank == "outlet"
    assert best_source(replace(own, half_width=0.02), [meter(1, "pdu", 5)])[1].startswith(
        "a meter of the whole machine"
    )


def test_a_machine_that_measures_more_than_its_outlets_has_a_feed_that_nobody_drew() -> None:
    own = device("server", 10)
    chosen, why = best_source(own, [meter(1, "pdu", 5, outlet=True)])
    assert (chosen, "a feed of it is not known" in why) == (own, True)
    assert best_source(replace(own, rank="estimate"), [meter(1, "pdu", 5, outlet=True)])[0].rank == "outlet"
    # Within what its own meter may be off the outlet holds.
    assert best_source(device("server", 5.4), [meter(1, "pdu", 5, outlet=True)])[0].rank == "outlet"


def test_every_accounting_meter_above_is_named_and_an_alarm_is_told_though_a_meter_never_accounts() -> None:
    tree = Tree(
        [device("a", 2), device("b", 3), device("pdu", 0), device("alone", 1)],
        [meter(1, "ups", 9), meter(2, "pdu", 6), meter(3, "other", 0.5, accounting="never")],
        [Feed(1, "pdu"), Feed(2, "a"), Feed(2, "b"), Feed(3, "alone")],
    )
    found = account(tree)
    assert found.above == {"a": {1, 2}, "b": {1, 2}, "pdu": {1}, "alone": frozenset()}
    assert found.above_meters == {1: {1}, 2: {1, 2}, 3: frozenset()}
    assert {one: parts.total_uj / KWH for one, parts in found.parts.items()} == {1: 6, 2: 5, 3: 1}
    assert [one.meter_id for one in found.alarms] == [3]


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
        devices.append(DeviceNode(name, Energy(uj, 0, uj, uj), 1.0, draw(st.sampled_from(["machine", "estimate"]))))
        need[name] = uj
        return name

    def distributor(level: int) -> str:
        """A device that passes on through one meter of its own."""
        name = f"d{len(devices)}"
        loss = draw(st.integers(0, 1000))
        devices.append(DeviceNode(name, Energy(loss, 0, loss, loss)))
        number = len(meters) + 1
        meters.append(MeterNode(number, name, Energy(), 1.0))
        children = [node(level + 1) for _ in range(draw(st.integers(2, 3)))]
        below = sum(need[child] for child in children)
        measured = below + draw(st.integers(0, 10**5))
        covered = draw(st.sampled_from([1.0, 1.0, 0.5]))
        meters[number - 1] = MeterNode(number, name, Energy(measured, 0, measured, measured), covered)
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
    own = {one.id: one.energy.total_uj for one in tree.devices}
    fed = {one.device_id for one in tree.feeds}
    children: dict[int, list[str]] = {}
    for feed in tree.feeds:
        children.setdefault(feed.meter_id, []).append(feed.device_id)

    def branch(name: str) -> int:
        found = own[name]
        for one in tree.meters:
            if one.device_id == name:
                parts = sum(branch(child) for child in children.get(one.id, []))
                found += one.energy.total_uj if one.coverage == 1.0 else parts
        return found

    return sum(branch(name) for name in own if name not in fed)


@given(trees())
def test_the_total_is_what_the_topmost_meters_measured_and_every_device_outside_them(tree: Tree) -> None:
    found = account(tree)
    assert not found.alarms
    assert found.total.total_uj == by_hand(tree)


@given(trees())
def test_what_is_below_an_accounting_meter_and_all_rests_there_are_its_energy(tree: Tree) -> None:
    found = account(tree)
    owner = {one.id: one.device_id for one in tree.meters}
    for top in {meters[0] for meters in found.under.values()}:
        below = sum(one.energy.total_uj for name, one in found.devices.items() if found.under.get(name) == [top])
        below += sum(
            one.energy.total_uj
            for one in found.rests
            if one.meter_id == top or found.under.get(owner[one.meter_id]) == [top]
        )
        [measured] = [one.energy.total_uj for one in tree.meters if one.id == top]
        assert below == measured


@given(trees(), st.integers(0, 3))
def test_a_meter_more_above_never_counts_a_branch_twice(tree: Tree, spare: int) -> None:
    fed = {one.device_id for one in tree.feeds}
    roots = [one.id for one in tree.devices if one.id not in fed]
    whole = account(tree).total.total_uj
    above = MeterNode(999, "incomer", Energy(whole + spare, 0, whole + spare, whole + spare), 1.0)
    more = Tree(tree.devices, [*tree.meters, above], [*tree.feeds, *(Feed(999, root, None) for root in roots)])
    if len(roots) > 1:
        assert account(more).total.total_uj == whole + spare


@given(trees())
def test_two_feeds_of_a_branch_count_it_once(tree: Tree) -> None:
    """A and B each measure half; an unmetered rest stays a rest."""
    fed = {one.device_id for one in tree.feeds}
    roots = [one.id for one in tree.devices if one.id not in fed]
    whole = account(tree).total.total_uj
    half, other = whole // 2, whole - whole // 2
    a, b = (
        MeterNode(number, "incomer", Energy(uj, 0, uj, uj), 1.0) for number, uj in ((998, half + 7), (999, other + 7))
    )
    feeds = [*tree.feeds, *(Feed(number, root, None) for root in roots for number in (998, 999))]
    found = account(Tree(tree.devices, [*tree.meters, a, b], feeds))
    if len(roots) > 1 and not found.alarms:
        assert found.total.total_uj == whole + 14
