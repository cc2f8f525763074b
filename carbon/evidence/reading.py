"""Read the report of an evidence pack: its rows, and what heads it."""

import csv
import io
import json
from collections.abc import Mapping

from carbon.evidence.records import row_of, set_of
from carbon.report import Report


def report_of_pack(files: Mapping[str, bytes]) -> Report:
    """The rows of a pack under its head. Raises KeyError, ValueError or TypeError where they cannot be read.

    Other lines, fills and coverage stand in the pack's files of their own, and are not read.
    """
    head = json.loads(files["report.json"])
    sets = {name: set_of(one) for name, one in json.loads(files["factors.json"]).items()}
    records = csv.DictReader(io.StringIO(files["activity.csv"].decode(), newline=""))
    return Report(
        head["organisation"],
        head["time_zone"],
        head["year_rule"],
        head["first_month"],
        head["last_month"],
        head["made_at"],
        head["state"],
        [row_of(record, sets) for record in records],
        method_version=head["method_version"],
        restated_from=head["restated_from"],
    )
