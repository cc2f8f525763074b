"""What making one device emits, and how well that is known: by its maker, its parts, products like it, or its price.

Order of sources: product carbon footprint of the model, component rule, median of the category where at least ten
products are known and they compare, spend-based factor, else nothing: a device without a factor is counted, not guessed.
Source: carbon reference, section 5; medians from Boavizta (`carbon/data/SOURCES.md`).
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Literal, get_args

SourceKind = Literal["pcf", "component", "spend"]
SOURCE_KINDS: tuple[SourceKind, ...] = get_args(SourceKind)
LEAST_PRODUCTS = 10
"""Fewer products make no median."""
DEFAULT_BAND = Decimal("0.5")
"""Of a figure whose source states no band: the default tier of the carbon reference, section 7."""

CATEGORY_OF_CLASS: Mapping[str, str] = {
    "server": "server",
    "laptop": "laptop",
    "desktop": "desktop",
    "thin_client": "thin_client",
    "monitor": "monitor",
    "tablet": "tablet",
    "mobile_phone": "smartphone",
    "printer": "printer",
}
"""The category whose products compare with a class. No other class has one: `network` is four home devices, a disk is no
storage system, and an all-in-one or a multifunction printer is more than the category's products."""


@dataclass(frozen=True, slots=True)
class Median:
    """A category's products: kgCO2e of everything but use, so with transport and end of life."""

    category: str
    products: int
    p10: Decimal
    median: Decimal
    p90: Decimal
    years: Decimal


@dataclass(frozen=True, slots=True)
class ProductFootprint:
    """One document about one model (of spend: about a class, where `model` is ""). Kilograms, None where it says nothing.

    `total_kg` is of the whole life; what is not use is embodied. `id`, `document`, `document_date` (YYYY-MM-DD) and
    `sha256` lead back to it.
    """

    id: int
    kind: SourceKind
    vendor: str
    model: str
    device_class: str
    total_kg: Decimal
    use_kg: Decimal | None
    transport_kg: Decimal | None
    end_of_life_kg: Decimal | None
    document: str
    document_date: str
    sha256: str

    @property
    def embodied_kg(self) -> Decimal:
        """Everything but use."""
        return self.total_kg - (self.use_kg or 0)

    @property
    def cradle_to_gate_kg(self) -> Decimal:
        """What is Scope 3, category 2: without transport and end of life, as far as the document tells them apart."""
        return self.embodied_kg - (self.transport_kg or 0) - (self.end_of_life_kg or 0)


@dataclass(frozen=True, slots=True)
class Embodied:
    """Kilograms of one device, with the source in words. `low_kg` and `high_kg` are of `embodied_kg`.

    `cradle_to_gate_kg` is the same where the source does not tell transport and end of life apart: then `split` is
    False, and it is on the high side.
    """

    embodied_kg: Decimal
    low_kg: Decimal
    high_kg: Decimal
    cradle_to_gate_kg: Decimal
    split: bool
    source: str
    level: Literal["pcf", "component", "median", "spend"]


@cache
def medians() -> Mapping[str, Median]:
    """The packaged categories with enough products, by name."""
    text = (resources.files("carbon") / "data" / "embodied_medians.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    found = [
        Median(
            row["category"],
            int(row["n"]),
            *(Decimal(row[name]) for name in ("p10", "median", "p90", "lifetime_y_median")),
        )
        for row in rows
    ]
    return {one.category: one for one in found if one.products >= LEAST_PRODUCTS}


def median_of_class(device_class: str) -> Median | None:
    """The category whose products compare with a class, None where none does."""
    return medians().get(CATEGORY_OF_CLASS.get(device_class, ""))


def model_key(vendor: str, model: str) -> str:
    """A model as registers and documents write it, alike: letters and digits, without the maker's name before it.

    >>> model_key("Dell", "Latitude 5440"), model_key("", "Dell Latitude-5440"), model_key("HP Inc.", "HP EliteBook 840")
    ('latitude5440', 'delllatitude5440', 'elitebook840')
    """
    words = re.findall(r"[a-z0-9]+", model.lower())
    makers = set(re.findall(r"[a-z0-9]+", vendor.lower()))
    while len(words) > 1 and words[0] in makers:
        words = words[1:]
    return "".join(words)


class Sources:
    """An organisation's documents beside the packaged medians, looked up by model and class."""

    def __init__(self, documents: Iterable[ProductFootprint]) -> None:
        self._by_model: dict[tuple[SourceKind, str], ProductFootprint] = {}
        self._by_class: dict[str, ProductFootprint] = {}
        for one in sorted(documents, key=lambda one: (one.document_date, one.id)):  # the newest document holds
            if not one.model:
                self._by_class[one.device_class] = one
                continue
            self._by_model[one.kind, model_key(one.vendor, one.model)] = one
            self._by_model[one.kind, model_key("", f"{one.vendor} {one.model}")] = one

    def of(self, vendor: str, model: str, device_class: str) -> Embodied | None:
        """What making one such device emits, by the best source; None where there is none."""
        for kind in ("pcf", "component"):
            if (found := self._find(kind, vendor, model)) is not None:
                return _of_document(found)
        if (median := median_of_class(device_class)) is not None:
            return _of_median(median)
        spend = self._find("spend", vendor, model) or self._by_class.get(device_class)
        return None if spend is None else _of_document(spend)

    def _find(self, kind: SourceKind, vendor: str, model: str) -> ProductFootprint | None:
        if not model:
            return None
        return self._by_model.get((kind, model_key(vendor, model)))


def _of_document(one: ProductFootprint) -> Embodied:
    band = one.embodied_kg * DEFAULT_BAND
    words = {"pcf": "product carbon footprint", "component": "component rule", "spend": "spend-based"}[one.kind]
    of = " ".join(part for part in (one.vendor, one.model or one.device_class) if part)
    return Embodied(
        embodied_kg=one.embodied_kg,
        low_kg=one.embodied_kg - band,
        high_kg=one.embodied_kg + band,
        cradle_to_gate_kg=one.cradle_to_gate_kg,
        split=one.kind == "spend" or None not in (one.transport_kg, one.end_of_life_kg),
        source=f"{words} of {of}: {one.document}, {one.document_date}",
        level=one.kind,
    )


def _of_median(one: Median) -> Embodied:
    return Embodied(
        embodied_kg=one.median,
        low_kg=one.p10,
        high_kg=one.p90,
        cradle_to_gate_kg=one.median,
        split=False,
        source=f"median of {one.products} products, category {one.category} (10% to 90%)",
        level="median",
    )
