"""A short fuzz of everything that others' bytes reach; ten minutes of the same are in tests/benchmarks/fuzz.py."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.web import connection
from tests.collector import fuzz_parsers, fuzz_socket
from tests.collector.fuzzed import Fuzzed
from tests.collector.web.served import serving

seeds = st.integers(0, 2**64 - 1).map(Random)
some = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    one = Fuzzed(tmp_path_factory.mktemp("fuzzed"))
    yield one
    one.close()


@settings(some, max_examples=400)
@given(chance=seeds)
def test_every_spoiled_report_gets_a_documented_answer_and_one_that_is_taken_counts_once(
    fuzzed: Fuzzed, chance: Random
) -> None:
    fuzzed.report(chance)


@settings(some, max_examples=100)
@given(chance=seeds)
def test_every_spoiled_enrolment_and_key_gets_a_documented_answer(fuzzed: Fuzzed, chance: Random) -> None:
    fuzzed.enrolment(chance)
    fuzzed.key_routes(chance)


def test_after_all_of_it_another_hosts_energy_is_exact(fuzzed: Fuzzed) -> None:
    for seed in range(60):
        fuzzed.report(Random(seed))
    fuzzed.check()


@pytest.mark.parametrize("target", fuzz_parsers.TEXTS, ids=lambda target: target.__name__)
@settings(some, max_examples=300)
@given(chance=seeds)
def test_a_spoiled_text_is_parsed_or_refused(target: Callable[[Random], None], chance: Random) -> None:
    target(chance)


@pytest.mark.parametrize("target", fuzz_parsers.FILES, ids=lambda target: target.__name__)
@settings(some, max_examples=60)
@given(chance=seeds)
def test_a_spoiled_file_is_read_or_refused_and_what_is_good_in_it_is_kept(
    target: Callable[[Random, Path], None], tmp_path_factory: pytest.TempPathFactory, chance: Random
) -> None:
    target(chance, tmp_path_factory.getbasetemp() / _folder(tmp_path_factory, target.__name__))


def _folder(factory: pytest.TempPathFactory, name: str) -> str:
    folder = factory.getbasetemp() / f"fuzz-{name}"
    folder.mkdir(exist_ok=True)
    return folder.name


def test_spoiled_requests_over_a_real_socket_are_answered_in_http_and_none_by_a_500(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ARRIVAL_SECONDS", 0.1)
    answers: Counter[str] = Counter()
    with serving(tmp_path) as served:
        key = served.enrol("fuzzed").key
        port = int(served.host.rpartition(":")[2])
        for seed in range(300):
            fuzz_socket.case(port, key, seed + 1, Random(seed), answers)
        assert served.client.get("/healthz").status_code == 200
    assert answers["200"] > 5, answers
    assert answers["400"] > 20, answers
