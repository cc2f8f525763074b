"""The API: reports in, devices and energy out, and bounds on what a sender may make the collector do."""

import datetime
import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from agent.report import Reading, Report, Row, SampleTime, Series, encode
from collector.database.schema import audit_log
from collector.wire import LARGEST_BODY_BYTES
from tests.collector.hosts import COUNTER, Host, recent_half_hour
from tests.collector.web.estate_of_tests import ESTATE, TROUBLES
from tests.collector.web.served import NS, Enrolled, Served

HALF_HOUR = 1800


@pytest.fixture
def host(local: Served) -> Enrolled:
    return local.enrol("web01")


def reports_of(host: Enrolled, seconds: int) -> list[Report]:
    """A report a minute at 100 W from a past half-hour's start."""
    return Host(None, recent_half_hour(4)).reports(seconds)  # type: ignore[arg-type]  # it sends nothing itself


def test_a_host_enrols_reports_and_is_seen_with_its_energy_to_the_microjoule(local: Served, host: Enrolled) -> None:
    for report in reports_of(host, HALF_HOUR + 60):
        answer = host.send(report)
        assert (answer.status_code, answer.json()) == (200, {"accepted": True, "duplicate": False, "rejected_rows": 0})
    local.settle()
    start = recent_half_hour(4)
    answer = local.client.get(
        "/v1/energy", params={"from": _iso(start), "to": _iso(start + HALF_HOUR), "device_id": host.device_id}
    )
    [half_hour] = answer.json()["half_hours"]
    assert half_hour["device_id"] == host.device_id
    assert half_hour["measured_uj"] == HALF_HOUR * 100 * 10**6
    assert (half_hour["method"], half_hour["covered_seconds"], half_hour["counted"]) == ("mixed", HALF_HOUR, True)
    assert half_hour["low_uj"] < half_hour["measured_uj"] + half_hour["estimated_uj"] < half_hour["high_uj"]


def test_a_report_sent_twice_is_answered_as_a_duplicate_and_other_content_under_its_number_is_a_conflict(
    local: Served, host: Enrolled
) -> None:
    first, second = reports_of(host, 120)
    assert host.send(first).json()["duplicate"] is False
    assert host.send(first).json()["duplicate"] is True
    second.sequence = first.sequence
    answer = host.send(second)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "sequence_conflict")


def test_bad_rows_cost_only_themselves_and_are_counted_in_the_answer(local: Served, host: Enrolled) -> None:
    [report] = reports_of(host, 60)
    at = report.samples[0].wall_ns
    report.rows += [Row(0, at, [42.0]), Row(0, at, ["busy"]), Row(7, at, [0.5])]
    answer = host.send(report)
    assert (answer.status_code, answer.json()["rejected_rows"]) == (200, 3)
    reasons = {one["reason"] for one in local.client.get(f"/v1/devices/{host.device_id}").json()["rejected"]}
    assert len(reasons) == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [("stream_id", "short"), ("sequence", -1), ("samples", [[1]]), ("boot_id", 7), ("choice", {"basis": "guess"})],
)
def test_a_wrong_envelope_is_refused_and_the_field_is_named(
    local: Served, host: Enrolled, field: str, value: object
) -> None:
    wrong = json.loads(gzip.decompress(encode(reports_of(host, 60)[0]))) | {field: value}
    answer = post(host, gzip.compress(json.dumps(wrong).encode()))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "report_unreadable")
    assert field in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"[]", b"null", b'{"stream_id": NaN}', gzip.compress(b"{}")[:-9], gzip.compress(b"\xff\x00{")],
    ids=["empty", "not UTF-8", "list", "null", "NaN", "truncated", "not UTF-8 within"],
)
def test_a_body_that_is_no_report_is_refused_with_400(local: Served, host: Enrolled, body: bytes) -> None:
    headers = host.headers()
    if not body.startswith(b"\x1f"):
        headers["Content-Encoding"] = "identity"
    answer = local.client.post("/v1/reports", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "report_unreadable")


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer nonsense", "Bearer a.b", "Basic YTpi", "Bearer {id}.wrong", "Bearer {id}."],
)
def test_without_the_right_key_a_report_is_refused_with_401(local: Served, host: Enrolled, authorization: str) -> None:
    headers = host.headers() | {"Authorization": authorization.format(id=host.key.partition(".")[0])}
    answer = local.client.post("/v1/reports", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authorised")


def test_a_declared_body_that_is_too_large_is_refused_before_it_is_sent(local: Served, host: Enrolled) -> None:
    head = [f"POST /v1/reports HTTP/1.1\r\nHost: {local.host}\r\nContent-Length: {LARGEST_BODY_BYTES + 1}\r\n"]
    head += [f"{name}: {value}\r\n" for name, value in host.headers().items()]
    with raw(local, "".join(head) + "\r\n") as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_stream_without_a_length_is_cut_off_where_it_grows_too_large(local: Served, host: Enrolled) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield b"x" * 2**20

    try:
        answer = local.client.post("/v1/reports", content=chunks(), headers=host.headers())
    except httpx.WriteError:
        # The refusal may close the connection while the body is still being written.
        assert sent < 64
    else:
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "report_too_large")
        assert "content-length" not in {name.lower() for name in answer.request.headers}
    assert local.client.get("/healthz").status_code == 200


def test_a_zip_bomb_is_refused_without_being_unpacked(local: Served, host: Enrolled) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(1000)) + packer.flush()
    assert len(bomb) < LARGEST_BODY_BYTES
    before = peak_kilobytes()
    answer = post(host, bomb)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "report_too_large")
    assert peak_kilobytes() - before < 200_000


def test_whoami_tells_which_device_a_key_is_of(local: Served, host: Enrolled) -> None:
    answer = local.client.get("/v1/whoami", headers={"Authorization": f"Bearer {host.key}"})
    said = answer.json()
    assert (said["device_id"], said["key_id"]) == (host.device_id, host.key.partition(".")[0])
    assert (said["last_report_at"], said["power_watts"]) == (None, None)
    assert local.client.get("/v1/whoami").status_code == 401


def test_a_host_may_ask_when_it_was_last_heard_of(local: Served, host: Enrolled) -> None:
    asked = int(time.time())
    assert host.send(reports_of(host, 60)[0]).status_code == 200
    said = local.client.get("/v1/whoami", headers={"Authorization": f"Bearer {host.key}"}).json()
    assert asked <= said["last_report_at"] <= int(time.time())


def test_a_host_gives_its_key_back_and_is_refused_from_then_on(local: Served, host: Enrolled) -> None:
    own = {"Authorization": f"Bearer {host.key}"}
    first, second = reports_of(host, 120)[:2]
    assert host.send(first).status_code == 200
    assert local.client.delete("/v1/key").status_code == 401
    assert local.client.delete("/v1/key", headers=own).json() == {"revoked": host.key.partition(".")[0]}
    assert host.send(second).status_code == 401
    assert local.client.get("/v1/whoami", headers=own).status_code == 401
    assert local.client.delete("/v1/key", headers=own).status_code == 401
    with local.collector.database.read() as connection:
        acts = connection.execute(select(audit_log).where(audit_log.c.action == "key.revoke")).all()
    assert [(act.actor, act.object) for act in acts] == [(f"key {host.key.partition('.')[0]}", host.device_id)]


def test_an_enrolment_token_is_used_up(local: Served) -> None:
    wanted = {"token": local.token(uses=2), "host_name": "h", "kind": "host"}
    keys = {local.client.post("/v1/enrol", json=wanted).json()["key"] for _ in range(2)}
    assert len(keys) == 2
    answer = local.client.post("/v1/enrol", json=wanted)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authorised")
    assert "token create" in answer.json()["error"]["remedy"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ([], 400),
        ({"token": "a.b", "host_name": "h", "kind": "toaster"}, 400),
        ({"token": "a.b", "host_name": 7, "kind": "host"}, 400),
        ({"token": "a.b", "host_name": "h", "kind": "host"}, 401),
        ({"token": "no dot", "host_name": "h", "kind": "host"}, 401),
        ({"token": "a.b", "host_name": "h" * 5000, "kind": "host"}, 413),
    ],
)
def test_a_wrong_enrolment_is_refused(local: Served, body: object, status: int) -> None:
    assert local.client.post("/v1/enrol", json=body).status_code == status


def test_a_token_of_a_site_places_the_host_there(local: Served) -> None:
    wanted = {"token": local.token(site="County Hall"), "host_name": "h", "kind": "host"}
    device_id = local.client.post("/v1/enrol", json=wanted).json()["device_id"]
    assert local.client.get(f"/v1/devices/{device_id}").json()["site"] == "County Hall"


def test_the_list_of_devices_has_silent_ones_first_and_its_totals_add_up(estate: Any) -> None:
    found = estate.client.get("/v1/devices").json()["devices"]
    assert len(found) == len(ESTATE) + len(TROUBLES) - 1, "all but the retired one"
    assert [one["silent"] for one in found] == [True] + [False] * (len(found) - 1)
    whole = estate.client.get("/v1/energy").json()
    details = [estate.client.get(f"/v1/devices/{host.device_id}").json() for host in estate.hosts.values()]
    for span in ("today", "financial_year"):
        for name in ("measured_uj", "estimated_uj", "low_uj", "high_uj"):
            assert sum(one[span][name] for one in details if one[span]) == whole[span][name]
    assert whole["financial_year"]["measured_uj"] > 0


def test_a_devices_half_hours_add_up_to_its_year(estate: Any) -> None:
    host = estate.hosts["hall-hv01"]
    end = recent_half_hour(0)
    parameters = {"from": _iso(end - 4 * 86_400), "to": _iso(end), "device_id": host.device_id}
    rows = estate.client.get("/v1/energy", params=parameters).json()["half_hours"]
    assert {row["device_id"] for row in rows} == {host.device_id}
    written = sum(row["measured_uj"] for row in rows)
    year = estate.client.get(f"/v1/devices/{host.device_id}").json()["financial_year"]
    unwritten = year["measured_uj"] - written
    assert 0 <= unwritten <= HALF_HOUR * 2 * 420 * 10**6, "only the last half-hour is not written yet"


def test_a_guest_is_listed_and_in_no_total_until_that_is_switched_on(estate: Any) -> None:
    guest = estate.client.get(f"/v1/devices/{estate.hosts['crm-vm01'].device_id}").json()
    assert (guest["host_missing"], guest["counted"], guest["today"], guest["financial_year"]) == (
        True,
        False,
        None,
        None,
    )
    assert guest["power_watts"] > 0


def test_a_device_has_inventory_sources_and_the_choice_of_meters(estate: Any) -> None:
    detail = estate.client.get(f"/v1/devices/{estate.hosts['hall-db01'].device_id}").json()
    assert detail["inventory"]["model"] == "PowerEdge R640"
    assert detail["choice"]["meters"] == ["rapl/package-0", "rapl/package-1"]
    assert {one["source"]: one["outcome"] for one in detail["sources"]} == {"rapl": "data", "battery": "absent"}
    assert (detail["method"], detail["site"], detail["space"]) == ("mixed", "County Hall", "Data room")


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-11-01",
        "to=2026-11-01",
        "from=2026-11-02&to=2026-11-01",
        "from=2026-11-01&to=2026-11-01",
        "from=yesterday&to=today",
        "from=2026-01-01&to=2026-12-31",
        "from=0001-01-01&to=0001-01-02T00:00:00%2B23:59",
        "since=2026-11-01",
        "from=2026-11-01&to=2026-11-02&page=2",
    ],
)
def test_a_wrong_range_of_energy_is_refused_with_what_is_wrong(estate: Any, query: str) -> None:
    answer = estate.client.get(f"/v1/energy?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "limit", ["0", "1001", "-1", "many", "1" + "0" * 20, "00000000100000000000000000000", "9" * 5000]
)
def test_a_wrong_number_of_events_is_refused(local: Served, host: Enrolled, limit: str) -> None:
    answer = local.client.get(f"/v1/devices/{host.device_id}/events", params={"limit": limit})
    assert answer.status_code == 400, answer.text
    assert "1 to 1000" in answer.json()["error"]["message"]


def test_energy_of_an_unknown_device_is_not_found(estate: Any) -> None:
    answer = estate.client.get("/v1/energy?from=2026-11-01&to=2026-11-02&device_id=nobody")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_sender_that_stalls_in_its_body_holds_nobody_else(local: Served, host: Enrolled) -> None:
    head = f"POST /v1/reports HTTP/1.1\r\nHost: {local.host}\r\nContent-Length: 1000\r\n\r\nabc"
    stalled = [raw(local, head) for _ in range(30)]
    try:
        [report] = reports_of(host, 60)
        assert host.send(report).elapsed.total_seconds() < 5
        assert local.client.get("/").status_code == 200
    finally:
        for connection in stalled:
            connection.close()


@pytest.mark.parametrize("path", ["/", "/carbon", "/quality", "/v1/devices", "/healthz", "/metrics"])
def test_head_is_get_without_the_body_and_options_names_the_methods(local: Served, path: str) -> None:
    head, get = local.client.head(path), local.client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    options = local.client.options(path)
    assert (options.status_code, set(options.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


def test_every_answer_forbids_framing_sniffing_storing_and_foreign_content(local: Served) -> None:
    for path in ("/", "/v1/devices", "/nothing", "/static/style.css"):
        headers = local.client.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["cache-control"] == "no-store", path
        assert headers["cross-origin-resource-policy"] == "same-origin", path
        assert "access-control-allow-origin" not in headers, path


def test_readings_of_a_counter_that_a_report_names_wrongly_are_rejected_not_counted(
    local: Served, host: Enrolled
) -> None:
    start = recent_half_hour(4) * NS
    report = Report("stream-0001", 1, "0.1.0", "boot-1", samples=[SampleTime(start, NS)], meters=[COUNTER])
    report.series = [Series("system_cpu", {}, ["busy_ratio"])]
    report.readings = [Reading(0, start, 10 * NS, [1], [2]), Reading(3, start, 0, [1], [])]
    assert host.send(report).json()["rejected_rows"] == 2


def post(host: Enrolled, body: bytes) -> httpx.Response:
    return host.served.client.post("/v1/reports", content=body, headers=host.headers())


def raw(served: Served, text: str) -> socket.socket:
    """A connection on which this much of a request was sent."""
    name, _, port = served.host.partition(":")
    connection = socket.create_connection((name, int(port)), timeout=10)
    connection.sendall(text.encode())
    return connection


def peak_kilobytes() -> int:
    """The largest resident memory of this process, which the server runs in, so far."""
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123  # a pseudo file
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def _iso(unix_seconds: int) -> str:
    return datetime.datetime.fromtimestamp(unix_seconds, datetime.UTC).isoformat()
