"""/metrics: the collector itself, as Prometheus reads it."""

import re

import httpx

from tests.collector.hosts import Host, recent_half_hour
from tests.collector.web.served import Served

NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf'({NAME})(\{{(?:{NAME}="(?:[^"\\]|\\.)*",?)*\}})? (\S+)')


def parsed(answer: httpx.Response) -> dict[str, float]:
    """Samples by name with labels, after the text was checked: HELP and TYPE once and before the samples of a name."""
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.text.endswith("\n")
    samples: dict[str, float] = {}
    helped: list[str] = []
    types: dict[str, str] = {}
    for line in answer.text.splitlines():
        if line.startswith("# HELP "):
            helped.append(line.split(" ", 3)[2])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert helped[-1] == name
            assert kind == ("counter" if name.endswith("_total") else "gauge"), name
            types[name] = kind
        else:
            found = SAMPLE.fullmatch(line)
            assert found, line
            assert found[1] == list(types)[-1], "samples of one name stand together"
            key = found[1] + (found[2] or "")
            assert key not in samples
            samples[key] = float(found[3])
    assert sorted(helped) == sorted(types), "each HELP once"
    return samples


def test_the_text_is_prometheus_and_counts_what_happened(empty: Served) -> None:
    before = parsed(empty.client.get("/metrics"))
    host = empty.enrol("web01")
    report = Host(None, recent_half_hour(4)).report(0, 60)  # type: ignore[arg-type]  # it sends nothing itself
    host.send(report)
    host.send(report)
    empty.client.post("/v1/reports", content=b"{}")
    empty.settle()
    after = parsed(empty.client.get("/metrics"))
    grown = {name: after[name] - before[name] for name in before}
    assert grown["ictagent_reports_accepted_total"] == 1
    assert grown["ictagent_reports_duplicate_total"] == 1
    assert grown["ictagent_reports_refused_total"] == 1
    assert grown["ictagent_points_total"] > 7
    assert after['ictagent_target_up{target="embedded"}'] == 1
    assert after['ictagent_target_points_total{target="embedded"}'] >= grown["ictagent_points_total"]
    assert after["ictagent_outbox_batches"] == 0
    assert after["ictagent_resident_bytes"] > 2**20
