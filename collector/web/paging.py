"""Long lists cut into pages: which rows a request asks for, and the addresses of its neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

ROWS = 100


@dataclass(frozen=True, slots=True)
class Paging:
    """One page, from 1 on, of a list of `count` rows at `path` with these parameters."""

    path: str
    parameters: Mapping[str, str]
    page: int
    count: int

    @classmethod
    def of(cls, path: str, parameters: Mapping[str, str], asked: str, count: int) -> "Paging":
        """The page asked for; the first for anything else, the last where there are fewer."""
        wanted = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1
        last = max(1, -(-count // ROWS))
        return cls(path, parameters, min(max(1, wanted), last), count)

    @property
    def offset(self) -> int:
        return (self.page - 1) * ROWS

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // ROWS))

    @property
    def first_row(self) -> int:
        """Number of the first row shown, from 1 on; 0 where there is none."""
        return self.offset + 1 if self.count else 0

    @property
    def last_row(self) -> int:
        return min(self.count, self.offset + ROWS)

    @property
    def earlier(self) -> str:
        return self.address(self.page - 1) if self.page > 1 else ""

    @property
    def later(self) -> str:
        return self.address(self.page + 1) if self.page < self.pages else ""

    def address(self, page: int = 1) -> str:
        """The address of a page of the same list."""
        return address(self.path, {**self.parameters, "page": str(page) if page > 1 else ""})


def address(path: str, parameters: Mapping[str, str]) -> str:
    """A path with its parameters; those without a value are left out."""
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"{path}?{query}" if query else path
