"""What a register's words mean: kinds of equipment, states of a device, whose it is, yes and no.

The register's own words come first (`RegisterMapping.values`); the usual ones stand in
`words.toml`.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Literal

from carbon.device_classes import CLASSES, SERVICE_CATEGORIES
from collector.database.estate import SPACE_KINDS
from collector.register.fields import words

_OWN_NAMES = {words(text): one.name for one in CLASSES.values() for text in (one.name, one.words)}
_YES, _NO = frozenset({"yes", "y", "true", "1", "in", "x"}), frozenset({"no", "n", "false", "0", "out", "none"})


@lru_cache(maxsize=1)
def _tables() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """The usual words, compiled once."""
    with resources.files("collector.register").joinpath("words.toml").open("rb") as file:
        tables = tomllib.load(file)
    return {
        name: [(meaning, re.compile("|".join(patterns))) for meaning, patterns in table.items()]
        for name, table in tables.items()
    }


@lru_cache(maxsize=20_000)
def _first(table: str, text: str) -> str:
    """The first meaning of a table whose words are in a text; a register says the same few thousand times over."""
    return next((meaning for meaning, pattern in _tables()[table] if pattern.search(text)), "")


def class_of_words(cell: object, own: Mapping[str, str]) -> str:
    """The class that a register's kind of equipment means; "" where none is known."""
    text = words(cell)
    known = own.get(text, "") or _OWN_NAMES.get(text, "")
    # `iPhone` is one word, which `words` takes for two; `DeskPhone` is two.
    return known or _first("class_words", words(str(cell).lower())) or _first("class_words", text)


def class_of_model(vendor: str, model: str) -> str:
    """The class of a model by its maker's names; "" where none is known."""
    return _first("model_words", f"{vendor} {model}".lower().strip()) or _first("class_words", words(model))


def is_accessory(cell: object) -> bool:
    """Whether words name what draws no power of its own, though they name a device too: `Monitor arm`, `Laptop charger`."""
    return bool(_first("accessory", words(cell)))


def status_of(cell: object, own: Mapping[str, str]) -> str:
    """The state that a register's word means; "" where it is not known."""
    text = words(cell)
    return own.get(text, "") or _first("status", text)


def tenure_of(cell: object, own: Mapping[str, str]) -> str:
    """Whose a device is; "" where the word is not known."""
    text = words(cell)
    return own.get(text, "") or _first("tenure", text)


def space_kind_of(cell: object) -> str:
    """The kind of a space by its own word or its name; "" where neither tells."""
    text = words(cell)
    own = text.replace(" ", "_")
    return own if own in SPACE_KINDS else _first("space_kind", text)


def category_of(cell: object) -> str:
    """The service category of that name; "" where there is none."""
    text = words(cell)
    by_name = {words(name): name for name in SERVICE_CATEGORIES} | {
        words(name): key for key, name in SERVICE_CATEGORIES.items()
    }
    return by_name.get(text, "")


def yes_or_no(cell: object) -> Literal["yes", "no", ""]:
    """Whether a cell says yes; "" where it says neither."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    text = words(cell)
    return "yes" if text in _YES else "no" if text in _NO else ""
