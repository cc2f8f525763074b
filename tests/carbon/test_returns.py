"""What councils paste into the councils' tool and the Greening Government ICT return."""

import dataclasses
from decimal import Decimal

from carbon import councils_tool, greening_ict
from carbon.report import OtherLine
from tests.carbon.reports import report, row


def test_the_councils_tool_gets_ict_as_a_memo_of_each_site_and_homes_apart() -> None:
    made = [dict(zip(councils_tool.HEADER, one, strict=True)) for one in councils_tool.councils_tool(report())]
    homes, depot, hall = made
    assert (homes["site"], homes["uprn"], homes["not_in_building_inventory_kwh"]) == (
        "(homes of staff)",
        "",
        Decimal(666),
    )
    assert homes["what_to_do"] == "homeworking, Scope 3 category 7"
    assert (depot["site"], depot["ict_electricity_kwh"]) == ("=Depot", Decimal(200))
    assert hall["of_which_in_building_inventory_kwh"] == hall["ict_electricity_kwh"] == Decimal(2636)
    assert str(hall["what_to_do"]).startswith("memo only")


def test_what_is_in_no_bill_of_the_council_is_to_be_added() -> None:
    outside = row(site="Data centre")
    outside = dataclasses.replace(outside, activity=dataclasses.replace(outside.activity, inside="no"))
    [only] = councils_tool.councils_tool(report([outside]))
    assert str(only[-1]).startswith("add:")


def _waste(key: str, tonnes: str, grams: int) -> OtherLine:
    name = next(name for name, words in greening_ict.ROUTES.items() if words == key)
    return dataclasses.replace(
        report().other[0], name=name, scope="3", amount=Decimal(tonnes), unit="tonne", grams=grams
    )


def test_the_return_has_devices_energy_factor_and_scopes_by_category_and_waste_by_route() -> None:
    base = report()
    of = dataclasses.replace(
        base, other=(*base.other, _waste("landfill", "1.5", 13_475), _waste("landfill", "0.5", 4_492))
    )
    made = [dict(zip(greening_ict.HEADER, one, strict=True)) for one in greening_ict.greening_ict(of)]
    servers = next(one for one in made if one["item"] == "servers and storage")
    assert servers["electricity_kwh"] == Decimal(1356)
    assert servers["scope_2_tco2e"] == Decimal("0.280758")
    assert servers["scope_3_tco2e"] == Decimal("0.092436")
    landfill = next(one for one in made if one["section"] == "electronic waste")
    assert (landfill["item"], landfill["tonnes"]) == ("landfill", Decimal("2.0"))
    total = made[-1]
    assert total["total_tco2e"] == Decimal(of.total_g).scaleb(-6)
    assert total["tco2e_per_fte"] == round(Decimal(of.total_g) / 1_000_000 / 4000, 9)
    assert [one["item"] for one in made if "avoided" in str(one["item"])] == []


def test_devices_times_energy_of_each_is_the_energy() -> None:
    for one in greening_ict.greening_ict(dataclasses.replace(report(), first_month="2024-06", last_month="2024-07")):
        named = dict(zip(greening_ict.HEADER, one, strict=True))
        if named["section"] == "devices":
            assert Decimal(str(named["devices"])) * Decimal(str(named["kwh_per_device"])) == named["electricity_kwh"]


def test_an_empty_report_makes_empty_returns() -> None:
    empty = dataclasses.replace(report([]), other=())
    assert councils_tool.councils_tool(empty) == []
    assert greening_ict.greening_ict(empty) == []
