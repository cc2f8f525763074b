"""The words by which the columns of suppliers' files are known."""

import re

from collector.register.fields import words

SYNONYMS: dict[str, tuple[str, ...]] = {
    "mpan": (
        "mpan", "mpan core", "core mpan", "mpancore", "meter point", "supply number", "mpan number", "meter point reference",
        "meterpoint", "mpan mprn", "metering point", "mpxn", "supply point", "electricity supply number", "mpr",
    ),
    "date": (
        "date", "local date", "reading date", "settlement date", "day", "timestamp", "datetime", "date time", "read date",
        "consumption date",
        "period start", "interval start", "start datetime", "start date time", "start", "from", "utc", "gmt", "reading date time",
        "period end", "interval end", "end datetime", "end date time", "period ending", "hh ending", "date and time", "start time",
        "end time", "time stamp", "interval", "period from", "half hour ending", "readdate", "reading datetime", "local time",
        "utc time", "time from",
    ),
    "time": (
        "time", "local time", "utc time", "start time", "end time", "half hour", "hh", "hhmm", "reading time", "time of day",
        "period start time",
        "from time",
    ),
    "period": (
        "settlement period", "period", "hh period", "sp", "period number", "half hour period", "hh number", "period no", "hh no",
    ),
    "flag": (
        "flag", "status", "estimated", "actual estimated", "a e", "quality", "read type", "data quality", "reading type",
        "estimation flag", "estimate flag", "est", "reading status", "validity", "quality flag", "data status", "type of read",
    ),
    "channel": (
        "channel", "measurement quantity", "measurement", "measurement type", "quantity", "data type", "import export", "mq id",
        "direction", "energy type", "type", "measurement quantity id", "register", "meter channel", "data stream", "units type",
        "consumption type", "quantity id", "mqi", "reading qualifier",
    ),
    "unit": ("unit", "units", "uom", "unit of measure", "unit of measurement", "measurement unit"),
    "value": (
        "kwh", "consumption", "consumption kwh", "usage", "usage kwh", "value", "reading", "active import", "import kwh",
        "hh consumption", "energy", "energy kwh", "active energy", "import", "kw", "demand kw", "amount", "units", "volume", "ai",
        "metered kwh", "kwh import", "active import kwh", "hh kwh", "total kwh", "meter volume", "metered consumption",
    ),
}  # fmt: skip


WHOLE = frozenset(words(name) for names in SYNONYMS.values() for name in names)
"""Headers that say by themselves what they are: `read type` is no `type`."""
MPAN_HEADERS = frozenset(SYNONYMS["mpan"])
FLAG = re.compile(r"\bflag|^a ?/ ?e\b|\ba/e|\bstatus|\bquality|\best\b|\bestimate|\bactual")
REGISTER = re.compile(r"cumul|\bindex\b|meter read|register|totali[sz]|running|advance to date|closing|opening")
"""Headers of what a meter's dial shows, which is no energy of half an hour."""
TIMES = ("from", "start", "period start", "interval start", "time ending", "period end", "interval end", "end", "to")
"""Headers of the time beside a date that has none."""
