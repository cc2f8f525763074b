"""What all tables share: one MetaData with named constraints, and the column types used throughout."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Text
from sqlalchemy.sql.type_api import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ROW_ID: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit row number; SQLite counts only columns of type INTEGER up by themselves."""


def row_id() -> Column[int]:
    """A primary key that the database counts up."""
    return Column("id", ROW_ID, primary_key=True, autoincrement=True)


def instant(name: str, *, nullable: bool = False) -> Column[int]:
    """Unix seconds or nanoseconds, as the name says."""
    return Column(name, BigInteger, nullable=nullable)


def text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def validity() -> tuple[Column[int], Column[int]]:
    """From when, and until when (NULL: still) a row is true."""
    return instant("valid_from"), instant("valid_to", nullable=True)
