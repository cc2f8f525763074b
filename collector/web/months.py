"""The month that a page shows, from its address, and the addresses of its neighbours."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.web.paging import address

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class MonthView:
    """A month (YYYY-MM) at `path` with other `parameters`; `this` is the present one, after which there is none."""

    path: str
    parameters: Mapping[str, str]
    month: str
    this: str

    @classmethod
    def of(cls, path: str, parameters: Mapping[str, str], asked: str, this: str) -> "MonthView":
        """The month asked for, and the present one for anything else."""
        return cls(path, parameters, asked if _MONTH.fullmatch(asked) and asked <= this else this, this)

    @property
    def words(self) -> str:
        return f"{self._first():%B %Y}" + (" so far" if self.month == self.this else "")

    @property
    def earlier(self) -> str:
        return self.at(f"{self._first() - datetime.timedelta(days=1):%Y-%m}")

    @property
    def later(self) -> str:
        """The address of the month after, "" of the present one."""
        if self.month == self.this:
            return ""
        return self.at(f"{self._first() + datetime.timedelta(days=32):%Y-%m}")

    def at(self, month: str) -> str:
        """The address of another month."""
        return address(self.path, {**self.parameters, "month": "" if month == self.this else month})

    def _first(self) -> datetime.date:
        return datetime.date.fromisoformat(f"{self.month}-01")
