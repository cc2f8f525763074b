"""The report that commands of `ictagent carbon` show: of the months that --from and --to name."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carbon.calendar import half_hour_of, local_day
from carbon.errors import CarbonError
from carbon.report import Report
from collector.commands.carbon_period import Months, months_of
from collector.commands.common import database_of, plain_errors
from collector.commands.progress import progress_bar
from collector.errors import BadRequest
from collector.footprints import report_of
from collector.register_queries import find_organisation


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Leave the garbage collector off: it would look through hundreds of thousands of objects, all of which the report needs."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def read_report(
    first: Months | None, last: Months | None, organisation: str | None, state_directory: Path | None
) -> Report:
    """The report of the options' months; what stands for gaps is kept for the next."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors():
        with database.read() as connection:
            organisation_id, _, time_zone = find_organisation(connection, organisation)
        months = months_of(first, last, local_day(half_hour_of(now), time_zone))
        with progress_bar("reckoning") as progress, _no_garbage():
            try:
                return report_of(database, organisation_id, *months, now, progress)
            except CarbonError as error:
                raise BadRequest(str(error), "give a later --from") from error
