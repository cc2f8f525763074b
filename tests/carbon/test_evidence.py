"""Evidence packs: verified from their bytes alone, equal for equal reports, and no change of one stays unseen."""

import json
from collections.abc import Callable
from hashlib import sha256

import pytest

from carbon.errors import CarbonError
from carbon.evidence.pack import MANIFEST, pack_files, pack_sha256, zipped
from carbon.evidence.records import row_of, row_record, set_id, set_of, set_record
from carbon.evidence.verify import PackError, unzipped, verify
from carbon.figures import figures, grams_of, rows_of
from carbon.footprint_rows import LINES
from tests.carbon.reports import report, row, rows

Pack = dict[str, bytes]


def _resealed(files: Pack) -> Pack:
    """The pack of somebody who changed a file and its hash in the manifest too."""
    manifest = json.loads(files[MANIFEST])
    manifest["files"] = {name: sha256(body).hexdigest() for name, body in files.items() if name != MANIFEST}
    return {**files, MANIFEST: json.dumps(manifest).encode()}


def _changed(name: str, old: bytes, new: bytes) -> Pack:
    files = pack_files(report())
    assert old in files[name]
    return {**files, name: files[name].replace(old, new, 1)}


def test_a_pack_holds_from_its_bytes_alone() -> None:
    found = verify(unzipped(zipped(pack_files(report(), {"method.md": b"how it was made\n"}))))
    assert found.problems == ()
    assert found.atoms == 10
    assert found.total_g == sum(one.grams.total for one in rows())
    assert found.figures > 50


def test_equal_reports_have_equal_bytes_and_another_has_another_name() -> None:
    one, other = pack_files(report()), pack_files(report(rows()[:-1]))
    assert zipped(one) == zipped(pack_files(report()))
    assert pack_sha256(one) != pack_sha256(other)


def test_atoms_and_sets_come_back_as_they_were() -> None:
    for one in rows():
        factors = one.applied.factors
        again = row_of(row_record(one), {set_id(factors): set_of(set_record(factors))})
        assert again == one


@pytest.mark.parametrize("name", ["activity.csv", "factors.json", "figures.csv", "other_lines.csv", "report.json"])
def test_a_changed_byte_anywhere_is_found_and_the_file_named(name: str) -> None:
    files = pack_files(report())
    body = bytearray(files[name])
    place = len(body) // 2
    body[place] = body[place] ^ 1
    try:
        problems = verify({**files, name: bytes(body)}).problems
    except PackError as error:
        assert name in str(error)
    else:
        assert name in {problem.file for problem in problems}


@pytest.mark.parametrize(
    ("name", "old", "new", "file"),
    [
        ("activity.csv", b",720000000000000,", b",360000000000000,", "activity.csv"),
        ("figures.csv", b"total/all,", b"total/all,1", "figures.csv"),
        ("factors.json", b'"s2_generation": "0.20705', b'"s2_generation": "0.10705', "activity.csv"),
        ("other_lines.csv", b"1250000", b"1250001", "report.json"),
        ("report.json", b'"total_g": ', b'"total_g": 1', "report.json"),
    ],
)
def test_one_who_changes_a_figure_and_its_hash_is_found_by_reckoning(
    name: str, old: bytes, new: bytes, file: str
) -> None:
    assert file in {problem.file for problem in verify(_resealed(_changed(name, old, new))).problems}


def test_files_that_are_missing_or_too_many_are_named() -> None:
    files = pack_files(report())
    assert "fills.csv" in {one.file for one in verify({n: b for n, b in files.items() if n != "fills.csv"}).problems}
    assert "odd.txt" in {one.file for one in verify({**files, "odd.txt": b""}).problems}
    with pytest.raises(PackError, match=r"activity\.csv"):
        verify({name: body for name, body in files.items() if name != "activity.csv"})


@pytest.mark.parametrize("spoil", [lambda body: body[: len(body) // 2], lambda _: b"", lambda _: b"PK\x03\x04junk"])
def test_bytes_that_are_no_archive_are_refused(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(PackError):
        unzipped(spoil(zipped(pack_files(report()))))


def test_figures_of_every_dimension_add_up_to_the_whole() -> None:
    made = report()
    by_id = {one.id: one.grams for one in figures(made)}
    for line in (*LINES, "s2_market", "all"):
        for dimension in ("scope", "site", "category", "class", "month", "device", "directorate", "space"):
            parts = [
                grams for name, grams in by_id.items() if name.startswith(f"{dimension}=") and name.endswith(f"/{line}")
            ]
            assert sum(parts) == by_id[f"total/{line}"]


def test_a_figure_is_walked_back_to_its_atoms() -> None:
    made = report()
    found = rows_of(made, "site=County Hall/s2_generation")
    assert {one.activity.subject.device for one in found} == {"d1", "d2", ""}
    assert grams_of(found, "site=County Hall/s2_generation") == sum(one.grams.s2_generation for one in found)
    for wrong in ("site=Nowhere/all", "site=County Hall", "colour=red/all", "total/s9"):
        with pytest.raises(CarbonError):
            rows_of(made, wrong)


def test_a_name_with_a_slash_or_an_equals_sign_is_still_its_own_figure() -> None:
    made = report([row(site="a/b=c")])
    assert len(rows_of(made, "site=a/b=c/all")) == 1
