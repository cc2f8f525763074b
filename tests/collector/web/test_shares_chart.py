"""Bars of parts are well-formed SVG, in proportion, and say names as they are."""

from xml.etree import ElementTree

from collector.web.shares_chart import shares_chart

_NAME = "{http://www.w3.org/2000/svg}"


def drawn(svg: str, element: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(f"{_NAME}{element}"))  # noqa: S314  # what the product has just written


def test_each_bar_has_its_parts_in_proportion_and_no_part_of_nothing() -> None:
    svg = shares_chart(
        (("Hall", "measured", 3.0), ("Hall", "absent", 1.0), ("Depot", "measured", -2.0), ("Depot", "absent", 5.0))
    )
    bars = [one for one in drawn(svg, "rect") if one.get("stroke")]
    assert [(float(one.attrib["x"]), float(one.attrib["width"])) for one in bars] == [
        (230, 390),
        (620, 130),
        (230, 520),
    ]
    assert bars[1].attrib["fill"] == bars[2].attrib["fill"] != bars[0].attrib["fill"]
    assert bars[0].attrib["y"] == bars[1].attrib["y"] != bars[2].attrib["y"]


def test_a_whole_of_nothing_has_its_name_and_no_bar() -> None:
    svg = shares_chart((("Hall", "measured", 0.0),))
    assert "Hall" in [one.text for one in drawn(svg, "text")]
    assert not [one for one in drawn(svg, "rect") if one.get("stroke")]


def test_names_are_text_whatever_stands_in_them_and_long_ones_are_cut() -> None:
    svg = shares_chart((('<b>Hall & "Annexe"', "measured", 1.0), ("Long " * 20, "measured", 1.0)), "part of <all>")
    words = [one.text or "" for one in drawn(svg, "text")]
    assert '<b>Hall & "Annexe"' in words
    assert "part of <all>" in words
    assert all(len(one) <= 34 for one in words)
