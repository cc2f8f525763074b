"""What a channel, a unit or a header says is measured: active import, or what must not be added to it."""

import re
from collections.abc import Sequence
from typing import Literal

from collector.half_hourly.mapping import Unit
from collector.register.fields import words

Channel = Literal["active import", "active export", "reactive", "demand", ""]
"""`demand` is apparent power or a maximum; "" where the words say none of these."""

_CHANNELS: tuple[tuple[Channel, str], ...] = (
    ("reactive", r"\br[ie]\b|^r[+-]$|reactive|kvarh|\bkvar\b|\blead\b|\blag\b"),
    ("demand", r"\bkva\b|max(imum)? demand|\bmd\b|power factor|capacity"),
    ("active export", r"\bae\b|^a-$|^e$|export|generat|\bsent\b|to grid"),
    ("active import", r"\bai\b|^a\+$|^i$|import|consum|\bkwh\b|^active|\bkw\b|usage|demand"),
)
_UNITS: tuple[tuple[Unit, str], ...] = (
    ("MWh", r"\bmwh\b"),
    ("kWh", r"\bkwh\b|kilowatt ?hours?"),
    ("kW", r"\bkw\b|kilowatts?\b"),
    ("Wh", r"\bwh\b"),
)
_LOSSES = re.compile(
    r"loss(es)?[ -]?adj|adj\w* (for|by) (line )?loss|inc(l\w*)?\.? (line )?loss|(with|after) (line )?losses"
    r"|gross(ed)? up|\bgrossed\b|\b(llf|laf|tlm|tlf)s?[ -]?(adj|appl)\w*"
    r"|(\bat (the )?|@ ?)(gsp|nbp|bsp)\b|\b(gsp|nbp|bsp) \(?(kwh|volume)|\b(kwh|volume) [(-]?\s?(gsp|nbp|bsp)\b|\blla\b"
)
_LOSS_FACTOR = re.compile(r"\bllfs?\b|\blafs?\b|loss factor|factor")


def channel_of(text: object, active_import: Sequence[str] = ()) -> Channel:
    """The channel that words name. Where a mapping says which words are active import, no others are.

    >>> channel_of("AI"), channel_of("kVArh import"), channel_of("Export kWh"), channel_of("Meter 1")
    ('active import', 'reactive', 'active export', '')
    """
    plain = str(text).strip().lower()
    if active_import:
        return "active import" if words(plain) in {words(one) for one in active_import} else _channel(plain)
    return _channel(plain)


def _channel(plain: str) -> Channel:
    return next((channel for channel, pattern in _CHANNELS if re.search(pattern, plain.replace("_", " "))), "")


def unit_of(text: object) -> Unit | Literal[""]:
    """The unit that words name; "" where they name none.

    >>> unit_of("Consumption (kWh)"), unit_of("HH kW"), unit_of("kVArh"), unit_of("Value")
    ('kWh', 'kW', '', '')
    """
    plain = str(text).lower().replace("_", " ")
    return next((unit for unit, pattern in _UNITS if re.search(pattern, plain)), "")


def is_loss_adjusted(text: object) -> bool:
    """Whether words say that losses of the networks are in the figures.

    >>> is_loss_adjusted("kWh (loss-adjusted)"), is_loss_adjusted("Line Loss Factor")
    (True, False)
    """
    plain = str(text).lower().replace("_", " ")
    return bool(_LOSSES.search(plain)) and not _LOSS_FACTOR.search(_LOSSES.sub("", plain))
