"""Tables of imported conversion factors: each file as a version of its year, and what was accepted of it."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text

# One file as imported; nothing of it ever changes, so that published reports find it again. Of the imports of a year the
# highest version holds, of equal ones the last. `updated` and `next_publication` are as the file writes them. `rows` is
# zlib over JSON: every row of the file (`collector.factor_import`). `followed`: the series of the days that it changes are
# marked to be written anew.
factor_import = Table(
    "factor_import",
    metadata,
    row_id(),
    Column("year", Integer, nullable=False, index=True),
    text("version"),
    Column("final", Boolean, nullable=False),
    text("updated"),
    text("next_publication"),
    text("name"),
    Column("sha256", Text, nullable=False, unique=True),
    Column("rows", LargeBinary, nullable=False),
    text("actor"),
    instant("at"),
    Column("followed", Boolean, nullable=False),
)

# The lines of a file that ictagent knows (`carbon.factor_lines`). `value` is a decimal number as text, NULL where the file
# has none.
factor_line = Table(
    "factor_line",
    metadata,
    Column("import_id", ROW_ID, ForeignKey("factor_import.id"), primary_key=True, nullable=False),
    Column("line", Text, primary_key=True, nullable=False),
    text("value", nullable=True),
    text("row_id"),
    text("cell"),
)

# A step of a line by over half against the year before, which somebody looked at: exactly these two factors.
factor_acceptance = Table(
    "factor_acceptance",
    metadata,
    row_id(),
    Column("import_id", ROW_ID, ForeignKey("factor_import.id"), nullable=False, index=True),
    text("line"),
    Column("before_year", Integer, nullable=False),
    text("before"),
    text("after"),
    text("reason"),
    text("actor"),
    instant("at"),
)
