"""Every route as nobody, as each role and as each token: what the table says, and never another organisation's devices."""

import time
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import insert, select, update
from starlette.routing import Mount, Route

from collector.database.schema import account as accounts
from collector.database.schema import published_report, register_item
from collector.diagnoses import diagnose
from collector.people.accounts import find_account, set_organisations, set_role
from collector.people.roles import PEOPLE_ONLY, ROLES, Permission
from collector.snmp.devices import NewDevice, add_device
from collector.web.access import SignIn
from collector.web.app import every_route
from collector.web.permissions import NEEDED, path_of
from collector.web.reconciliation_page import LISTS
from tests.collector.test_register_import import HEADERS, LAPTOP, take_register
from tests.collector.web.estate_of_tests import ESTATE, TROUBLES, settle_in
from tests.collector.web.served import Enrolled, Served, serving
from tests.collector.web.signing_in import (
    Browser,
    account,
    another_organisation,
    api_token,
    form_fields,
    signed_in,
)

EVERY = sorted(
    (method, path_of(route))
    for route in every_route()
    for method in (sorted((route.methods or set()) - {"HEAD"}) if isinstance(route, Route) else ["GET"])
)
JSON = {"Accept": "application/json"}
MINE, OTHERS = "This organisation", "The other council"
PREPARED = {
    **dict.fromkeys(("first_month", "last_month"), "2025-04"),
    **{"state": "prepared", "total_g": 1, "pack_sha256": "0" * 64, "pack": b"zip of hall-db01", "reason": ""},
    **{"prepared_at": 0, "prepared_by": "cli:anna-of-mine"},
}
"""A report of the first organisation."""
THEIRS = ("hall-hv01", "hall-hv02")
SWITCH = NewDevice("192.0.2.77", name="core-of-mine", site="Switch house")
THEIR_SWITCH = NewDevice("192.0.2.78", name="core-of-theirs", organisation=OTHERS, site="Their house")


class Council:
    """A collector with devices of two organisations, and somebody of each role."""

    def __init__(self, served: Served, hosts: dict[str, Enrolled]) -> None:
        self.served = served
        self.hosts = hosts
        self.people = {role: signed_in(served, f"the-{role}") for role in ROLES}
        with served.collector.database.read() as connection:
            self.item_id = connection.execute(select(register_item.c.id)).scalar() or ""
            self.report = connection.execute(select(published_report.c.id)).scalar_one()
        self.tokens = {role: api_token(served, role) for role in ROLES}

    def address(self, path: str) -> str:
        """A route's path with what it needs filled in."""
        filled = path.replace("{device_id}", self.hosts["hall-db01"].device_id).replace("{item_id}", self.item_id)
        filled = filled.replace("{file}", "report.csv").replace("{number}", str(self.report))
        return filled.replace("/static", "/static/style.css")


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Council]:
    with serving(tmp_path_factory.mktemp("council"), SignIn(lambda: "")) as served:
        another_organisation(served, OTHERS)
        hosts = settle_in(served, (*ESTATE[:4], TROUBLES[0]), days=0.2, owners=dict.fromkeys(THEIRS, OTHERS))
        with served.collector.database.write() as connection:
            for switch in (SWITCH, THEIR_SWITCH):
                add_device(connection, switch, "test")
            connection.execute(insert(published_report).values(**PREPARED, organisation_id=1))
            diagnose(connection, hosts["hall-db01"].device_id, "clock_offset", "of hall-db01", "set it", 0)
        take_register(served.collector.database, tmp_path_factory.mktemp("register"), [HEADERS, LAPTOP])
        for role in ROLES:
            account(served, f"the-{role}", role)
        yield Council(served, hosts)


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def test_every_route_has_an_entry_and_every_entry_a_route() -> None:
    assert sorted(NEEDED) == EVERY, "name what the route needs in collector/web/permissions.py"


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_nobody_gets_past_the_door(council: Council, method: str, path: str) -> None:
    address = council.address(path)
    program = council.served.client.request(method, address, headers=JSON)
    browser = Browser(council.served)
    person = browser.get(address) if method == "GET" else browser.post(address, {"any": "thing"})
    if NEEDED[method, path] is Permission.OPEN:
        assert (
            program.status_code != 401
            or path in ("/v1/reports", "/v1/whoami", "/v1/enrol")
            or path.startswith("/v1/key")
        )
        return
    assert (program.status_code, program.json()["error"]["code"]) == (401, "not_authorised")
    if path.startswith("/v1/") or path == "/metrics":
        assert person.status_code == 401
    else:
        assert person.status_code == 303
        assert person.headers["location"].startswith("/login")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "path"), [one for one in EVERY if NEEDED.get(one) is not Permission.OPEN])
def test_each_role_may_what_the_table_says(council: Council, role: str, method: str, path: str) -> None:
    address, needs = council.address(path), NEEDED[method, path]
    browser = council.people[role]
    # A form without its token: a route that lets the role in says so, and does nothing.
    answer = browser.get(address) if method == "GET" else browser.post(address, {"any": "thing"})
    if method == "GET":
        assert answer.status_code == (200 if needs in ROLES[role] else 403), answer.text
    else:
        assert answer.status_code == 403
        assert ("not of this login" in answer.text) == (needs in ROLES[role]), answer.text
    headers = JSON | {"Authorization": f"Bearer {council.tokens[role]}"}
    program = council.served.client.request(method, address, headers=headers)
    allowed = needs in ROLES[role] - PEOPLE_ONLY
    assert program.status_code == (200 if allowed else 403), "an API token has no account, and else what its role has"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_method_that_no_route_has_is_refused_to_nobody_and_to_all(council: Council, method: str) -> None:
    for path in ("/", "/v1/devices", "/account", "/nothing"):
        assert council.served.client.request(method, path, headers=JSON).status_code in (401, 403), path


def test_what_does_not_exist_is_told_to_readers_only(council: Council) -> None:
    assert council.served.client.get("/nothing", headers=JSON).status_code == 401
    assert council.people["viewer"].get("/nothing").status_code == 404


@pytest.fixture(scope="module")
def stranger(council: Council) -> Browser:
    """Somebody of the other council, and their token is `council.tokens['stranger']`."""
    account(council.served, "stranger", "auditor", (OTHERS,))
    council.tokens["stranger"] = api_token(council.served, "viewer", (OTHERS,))
    return signed_in(council.served, "stranger")


READING = [path for (_, path), needs in sorted(NEEDED.items()) if needs in (Permission.READ, Permission.OWN)]
READING = [path for path in READING if ("GET", path) in NEEDED]


OTHER_WAYS = [
    "/?retired=yes",
    "/v1/energy?from={day}&to={end}",
    "/v1/estate/totals?by=organisation&by=site&by=space&by=directorate&by=device_class",
    *(f"/register/reconciliation?list={name}" for name in LISTS),
]
"""Further questions that routes answer with other rows."""


def _secrets(council: Council) -> list[str]:
    """What only those of the first organisation may read: of its hosts, its switch and its register."""
    mine = [name for name in council.hosts if name not in THEIRS]
    ids = [council.hosts[name].device_id for name in mine]
    return [
        *mine,
        *ids,
        MINE,
        "anna-of-mine",
        SWITCH.host,
        SWITCH.name,
        SWITCH.site,
        council.item_id,
        *LAPTOP[1:2],
        *LAPTOP[7:8],
    ]


def test_hosts_and_polled_devices_belong_to_whom_token_and_command_said(council: Council, stranger: Browser) -> None:
    mine, theirs = api_token(council.served, "viewer", (MINE,)), council.tokens["stranger"]

    def names(token: str) -> set[str]:
        answer = council.served.client.get("/v1/devices", headers={"Authorization": f"Bearer {token}"})
        return {one["host_name"] for one in answer.json()["devices"]}

    assert names(theirs) == {*THEIRS, THEIR_SWITCH.name}
    assert names(mine) == {*council.hosts, SWITCH.name} - set(THEIRS)


def test_what_is_another_organisations_is_shown_to_those_who_see_all(council: Council) -> None:
    pages = "".join(
        council.people["viewer"].get(path).text for path in ("/", "/register", "/v1/estate/totals?by=organisation")
    )
    assert [one for one in (*THEIRS, SWITCH.name, MINE, OTHERS, LAPTOP[1]) if one not in pages] == []


@pytest.mark.parametrize("path", [path for path in READING if "{" not in path])
def test_asking_for_another_organisation_by_name_shows_nothing_of_it(
    council: Council, stranger: Browser, path: str
) -> None:
    asked = {"organisation": MINE, "site": LAPTOP[7], "filter": LAPTOP[1]}
    for name, value in asked.items():
        answer = stranger.get(f"{path}?{urlencode({name: value})}")
        assert answer.status_code in (200, 400, 404)
        assert [one for one in _secrets(council) if one != value and one in answer.text] == []


@pytest.mark.parametrize("path", [*READING, *OTHER_WAYS])
def test_nothing_of_another_organisation_is_shown(council: Council, stranger: Browser, path: str) -> None:
    secrets = _secrets(council)
    now = council.served.collector.clock_ns() // 10**9
    filled = {"{day}": _day(now - 86_400), "{end}": _day(now + 86_400), "{file}": "report.csv"}
    address = path
    for name, text in filled.items():
        address = address.replace(name, text)
    headers = JSON | {"Authorization": f"Bearer {council.tokens['stranger']}"}
    own = address.replace("{device_id}", council.hosts["hall-hv01"].device_id)
    foreign = address.replace("{device_id}", council.hosts["hall-db01"].device_id)
    if "{item_id}" in address or "{number}" in address:
        # Only the other organisation has a register, and a report that was prepared.
        foreign = address.replace("{item_id}", council.item_id).replace("{number}", str(council.report))
        assert stranger.get(foreign).status_code == 404
        return
    answers: list[httpx.Response] = [stranger.get(own)]
    if NEEDED["GET", path.partition("?")[0]] is Permission.READ:
        answers.append(council.served.client.get(own, headers=headers))
    for answer in answers:
        assert answer.status_code == 200
        assert [one for one in secrets if one in answer.text] == []
    if foreign != own:
        assert stranger.get(foreign).status_code == 404
        assert council.served.client.get(foreign, headers=headers).status_code == 404


def test_half_hours_of_another_organisations_device_cannot_be_asked_for(council: Council, stranger: Browser) -> None:
    now = council.served.collector.clock_ns() // 10**9
    period = f"from={_day(now - 86_400)}&to={_day(now + 86_400)}"
    assert stranger.get(f"/v1/energy?{period}&device_id={council.hosts['hall-db01'].device_id}").status_code == 404
    own = stranger.get(f"/v1/energy?{period}&device_id={council.hosts['hall-hv01'].device_id}").json()
    assert {row["device_id"] for row in own["half_hours"]} == {council.hosts["hall-hv01"].device_id}


def test_totals_of_the_organisations_add_up_to_those_of_all(council: Council, stranger: Browser) -> None:
    mine = api_token(council.served, "viewer", (MINE,))

    def of(token: str) -> dict[str, int]:
        headers = {"Authorization": f"Bearer {token}"}
        today = council.served.client.get("/v1/energy", headers=headers).json()["financial_year"]
        return {name: today[name] for name in ("measured_uj", "estimated_uj", "low_uj", "high_uj")}

    parts, whole = (of(mine), of(council.tokens["stranger"])), of(council.tokens["viewer"])
    assert whole == {name: sum(part[name] for part in parts) for name in whole}
    assert all(0 < part["high_uj"] < whole["high_uj"] for part in parts)
    first_page = stranger.get("/").text
    assert "from 2 devices" in first_page, "power now"
    assert "3 of 3 devices" in first_page, "a switch that never answered is in the list"


def test_the_audit_log_is_for_auditors_who_see_all_organisations(council: Council, stranger: Browser) -> None:
    refused = stranger.get("/audit")
    assert refused.status_code == 403
    assert "all organisations" in refused.text
    assert "user.add" in council.people["auditor"].get("/audit").text


def test_an_account_of_no_organisation_sees_nothing(council: Council) -> None:
    account(council.served, "nobodys")
    browser = signed_in(council.served, "nobodys")
    with council.served.collector.database.write() as connection:
        set_organisations(connection, find_account(connection, "nobodys").id, [])
    assert browser.get("/v1/devices").json() == {"devices": []}
    assert "No device has reported yet" in browser.get("/").text


def test_a_new_role_holds_from_the_next_request_on(council: Council) -> None:
    account(council.served, "promoted", "viewer")
    browser = signed_in(council.served, "promoted")
    assert browser.get("/audit").status_code == 403
    with council.served.collector.database.write() as connection:
        set_role(connection, find_account(connection, "promoted"), "auditor", 0, "test")
    page = browser.get("/audit")
    assert page.status_code == 200
    assert form_fields(page.text, "/logout")["csrf"]


def test_a_role_that_a_newer_release_made_may_nothing(council: Council) -> None:
    account(council.served, "future", "viewer")
    browser = signed_in(council.served, "future")
    with council.served.collector.database.write() as connection:
        connection.execute(update(accounts).where(accounts.c.name == "future").values(role="emperor"))
    assert browser.get("/").status_code == 403


def test_static_files_are_open_and_nothing_beside_them(council: Council) -> None:
    assert any(isinstance(route, Mount) for route in every_route())
    assert council.served.client.get("/static/style.css").status_code == 200
    for path in ("/static/../app.py", "/static/%2e%2e/templates/estate.html", "/static/..%2fapp.py"):
        assert council.served.client.get(path, headers=JSON).status_code in (401, 404), path
