"""What a meter's readings share their error with: all meters of a source, and what the models fill."""

from sqlalchemy import Connection, select

from carbon.uncertainty import MODEL_GROUP
from collector.database.schema import meter
from collector.segments import ESTIMATE_METER, REST_METER, is_loss_meter


def error_groups(connection: Connection) -> dict[int, str]:
    """The group of each meter, by its number: its source, or of what a model fills that model."""
    query = select(meter.c.id, meter.c.name, meter.c.source)
    return {row.id: _group(row.name, row.source) for row in connection.execute(query)}


def _group(name: str, source: str) -> str:
    if is_loss_meter(name):
        return "supply_loss"
    return MODEL_GROUP if name in (ESTIMATE_METER, REST_METER) else source
