"""Embodied carbon: the best source of each device, two views that are never added, and nothing guessed."""

import csv
import datetime
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from carbon.embodied import LEASED, NO_DATE, NO_FACTOR, Item, embodied_view
from carbon.embodied_sources import CATEGORY_OF_CLASS, ProductFootprint, SourceKind, Sources, median_of_class, medians
from carbon.months import months_between


def item(
    device_class: str = "laptop",
    model: str = "Latitude 5440",
    acquired: str | None = "2024-05-10",
    disposed: str | None = None,
    quantity: int = 1,
    share: str = "1",
    *,
    leased: bool = False,
) -> Item:
    dates = [None if one is None else datetime.date.fromisoformat(one) for one in (acquired, disposed)]
    return Item(
        "i1", device_class, "Dell", model, "Hall", "", quantity, Decimal(share), dates[0], dates[1], leased=leased
    )


def document(
    number: int = 1, kind: SourceKind = "pcf", model: str = "Latitude 5440", date: str = "2024-03-01", total: int = 286
) -> ProductFootprint:
    kilograms = (Decimal(total), Decimal(61), Decimal(18), Decimal(2))
    return ProductFootprint(number, kind, "Dell", model, "laptop", *kilograms, "d.pdf", date, "0" * 64)


def kg(view: str, one: Item, first: str, last: str, *documents: ProductFootprint) -> Decimal:
    found = embodied_view(view, [one], Sources(documents), months_between(first, last))  # type: ignore[arg-type]  # by parameter
    return Decimal(found.grams) / 1000


def test_the_newest_document_of_the_model_goes_before_rule_median_and_spend() -> None:
    newer, rule = document(2, date="2025-01-01", total=300), document(3, "component", total=500)
    spend = document(4, "spend", total=900)
    assert Sources([newer, document(), rule, spend]).of("Dell", "Dell Latitude-5440", "laptop").embodied_kg == 239  # type: ignore[union-attr]  # there is one
    for documents, level in (([rule, spend], "component"), ([spend], "median"), ([], "median")):
        found = Sources(documents).of("DELL", "latitude 5440", "laptop")
        assert found is not None
        assert found.level == level
    switch = document(5, "spend", model="")
    per_class = ProductFootprint(
        6, "spend", "", "", "switch", Decimal(310), None, None, None, "r.xlsx", "2025-01-31", ""
    )
    assert Sources([switch]).of("Cisco", "C9300", "switch") is None
    found = Sources([per_class]).of("Cisco", "C9300", "switch")
    assert found is not None
    assert (str(found.level), found.embodied_kg) == ("spend", Decimal(310))


def test_no_median_stands_for_products_that_do_not_compare() -> None:
    assert set(medians()) & {"network", "gaming", "workstation", "multimedia"} == set()
    for name in ("switch", "router", "access_point", "storage", "all_in_one", "multifunction", "desk_phone"):
        assert median_of_class(name) is None
    assert all(one in medians() for one in CATEGORY_OF_CLASS.values())


def test_the_packaged_medians_are_those_of_the_reference(shared: Path) -> None:
    with (shared / "power" / "embodied_medians.tsv").open(encoding="utf-8") as file:
        rows = {row["category"]: row for row in csv.DictReader(file, delimiter="\t")}
    for name, one in medians().items():
        assert (one.products, one.p10, one.median, one.p90) == (
            int(rows[name]["n"]),
            *(Decimal(rows[name][column]) for column in ("p10", "median", "p90")),
        )


def test_the_inventory_takes_the_whole_cradle_to_gate_in_the_month_of_acquisition() -> None:
    assert kg("inventory", item(quantity=10), "2024-05", "2024-05", document()) == 2050  # 286 - 61 - 18 - 2
    assert kg("inventory", item(), "2024-06", "2030-12", document()) == 0
    assert kg("inventory", item(share="0.25"), "2024-05", "2024-05", document()) == Decimal("51.25")


def test_management_is_a_straight_line_then_0_and_what_is_left_falls_into_disposal() -> None:
    assert kg("management", item(), "2024-05", "2028-04", document()) == 225  # 4 years
    assert kg("management", item(), "2024-05", "2025-04", document()) == Decimal("56.25")
    assert kg("management", item(), "2028-05", "2040-12", document()) == 0
    sold = item(disposed="2026-05-02")
    assert kg("management", sold, "2026-05", "2026-05", document()) == Decimal("112.500")
    assert kg("management", sold, "2026-06", "2040-12", document()) == 0
    assert kg("management", item(disposed="2035-01-01"), "2024-05", "2040-12", document()) == 225


def test_what_has_no_factor_or_no_date_is_counted_and_not_guessed() -> None:
    items = [item("switch", "C9300", quantity=2), item(acquired=None, quantity=3), item(leased=True)]
    months = months_between("2024-04", "2025-03")
    found = embodied_view("inventory", items, Sources([]), months)
    assert found.charges == []
    assert found.without == {("switch", NO_FACTOR): 2, ("laptop", NO_DATE): 3, ("laptop", LEASED): 1}
    assert embodied_view("management", items, Sources([]), months).without == {
        ("switch", NO_FACTOR): 2,
        ("laptop", NO_DATE): 3,
    }


@given(
    st.decimals("0.001", 5000, places=3, allow_nan=False),
    st.integers(1, 500),
    st.integers(1, 40),
    st.integers(0, 200),
    st.booleans(),
)
def test_every_gram_is_charged_once_over_a_devices_life(
    kilograms: Decimal, quantity: int, half_years: int, kept_months: int, disposed: bool
) -> None:
    number = 2020 * 12 + kept_months
    gone = f"{number // 12}-{number % 12 + 1:02}-15" if disposed else None
    source = ProductFootprint(1, "pcf", "", "M1", "laptop", kilograms, None, None, None, "d", "2020-01-01", "")
    found = embodied_view(
        "management",
        [Item("i", "laptop", "", "M1", "", "", quantity, Decimal(1), datetime.date(2020, 1, 1),
              None if gone is None else datetime.date.fromisoformat(gone))],
        Sources([source]),
        months_between("2020-01", "2060-12"),
        {"laptop": Decimal(half_years) / 2},
    )  # fmt: skip
    whole = embodied_view(
        "inventory", [one.item for one in found.charges[:1]], Sources([source]), months_between("2020-01", "2020-01")
    )
    assert found.grams == whole.grams == round(kilograms * quantity * 1000)
