"""The factor sets of a database: the packaged ones, with the imported versions that hold in their places."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, ScalarSelect, select

from carbon.factor_lines import FACTOR_LINES
from carbon.factor_moves import Move, large_moves
from carbon.factors import FactorSet, LineFactor, packaged_sets, set_of_lines, version_order, with_imported
from collector.database.schema import factor_acceptance, factor_import, factor_line, setting
from collector.errors import NotFound

MARK = "factor_sets"
"""The setting that is changed with the sets: a hash of them, so that any database's sets are kept under it."""
_MOST_KEPT = 16
_KEPT: dict[str, tuple[FactorSet, ...]] = {}
_IMPORTS = select(*(column for column in factor_import.c if column.name != "rows"))


def factor_sets(connection: Connection) -> tuple[FactorSet, ...]:
    """The sets that hold, oldest first. What was read once is kept until an import or an acceptance."""
    return sets_of(connection, connection.execute(select(mark_query())).scalar())


def mark_query() -> ScalarSelect[str]:
    """The mark of the sets that hold, as a part of another query; None before the first import."""
    return select(setting.c.value).where(setting.c.name == MARK).scalar_subquery()


def sets_of(connection: Connection, mark: str | None) -> tuple[FactorSet, ...]:
    """The sets of a mark that was just read."""
    if mark is None:
        return packaged_sets()
    kept = _KEPT.get(mark)
    if kept is None:
        kept = load_sets(connection)
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        _KEPT[mark] = kept
    return kept


def load_sets(connection: Connection) -> tuple[FactorSet, ...]:
    """The sets that hold, from the tables."""
    return _with_open_moves(connection, with_imported([read_set(connection, row) for row in holding(connection)]))


def imports(connection: Connection, year: int | None = None) -> list[Row[Any]]:
    """All imports, or those of a year: years in order, and of each the version that holds last."""
    query = _IMPORTS if year is None else _IMPORTS.where(factor_import.c.year == year)
    return sorted(connection.execute(query).all(), key=lambda row: (row.year, version_order(row.version), row.id))


def holding(connection: Connection) -> list[Row[Any]]:
    """The import that holds of each year: the highest version, and of equal ones the last."""
    return list({row.year: row for row in imports(connection)}.values())


def read_set(connection: Connection, row: Any) -> FactorSet:
    """An import as a set, without what is to be accepted of it."""
    query = select(factor_line).where(factor_line.c.import_id == row.id)
    found = {one.line: one for one in connection.execute(query)}
    lines = [
        LineFactor(key, None if one.value is None else Decimal(one.value), one.row_id, one.cell)
        for key in FACTOR_LINES
        if (one := found.get(key)) is not None
    ]
    return set_of_lines(row.year, row.version, row.final, lines, row.sha256, "imported")


def set_named(connection: Connection, year: int, version: str | None = None) -> FactorSet:
    """The set of a year that holds, or a certain version of it, imported or packaged. Raises NotFound."""
    sets = {one.year: one for one in factor_sets(connection)}
    if version is None and year in sets:
        return sets[year]
    if version is not None:
        packaged = next((one for one in packaged_sets() if (one.year, one.version) == (year, version)), None)
        mine = [row for row in imports(connection, year) if row.version == version]
        if mine:
            return read_set(connection, mine[-1])
        if packaged is not None:
            return packaged
    wanted = f"{year}" if version is None else f"{year}, version {version}"
    raise NotFound(f"there is no factor set of {wanted}", "see `ictagent carbon factors list`")


def open_moves(connection: Connection, sets: Sequence[FactorSet], one: FactorSet) -> list[Move]:
    """The steps by over half of an imported set against the year before, as it holds, that nobody accepted."""
    before = next((other for other in sets if other.year == one.year - 1), None)
    if before is None or one.provenance == "packaged":
        return []
    accepted = {(row.line, row.before, row.after) for row in acceptances(connection, [one.sha256])}
    return [
        move for move in large_moves(before, one) if (move.key, f"{move.before:f}", f"{move.after:f}") not in accepted
    ]


def acceptances(connection: Connection, sha256s: Iterable[str]) -> Sequence[Row[Any]]:
    """What was accepted of the files with these hashes, oldest first."""
    query = (
        select(factor_acceptance)
        .join(factor_import, factor_import.c.id == factor_acceptance.c.import_id)
        .where(factor_import.c.sha256.in_(list(sha256s)))
        .order_by(factor_acceptance.c.id)
    )
    return connection.execute(query).all()


def _with_open_moves(connection: Connection, sets: Sequence[FactorSet]) -> tuple[FactorSet, ...]:
    found = []
    for one in sets:
        words = tuple(move.words for move in open_moves(connection, sets, one))
        found.append(one if not words else _unaccepted(one, words))
    return tuple(found)


def _unaccepted(one: FactorSet, words: Sequence[str]) -> FactorSet:
    return set_of_lines(one.year, one.version, one.final, one.lines, one.sha256, one.provenance, words)
