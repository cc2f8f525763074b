"""`ictagent install`, `upgrade`, `uninstall` as ops type them, below a temporary root, with a real collector."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.commands.install import _wait_for_report
from agent.errors import AgentError
from agent.install.host import Facts, Host
from agent.settings import AgentSettings
from tests.agent.install.image import changes, entries, make_image
from tests.agent.scripted import Reply, refusal, scripted
from tests.servers.ictagent import AgentProgram, CollectorProgram, ictagent, request
from tests.servers.process import free_port, listening, wait_until

USER_TABLES = {"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProgram]:
    one = CollectorProgram(tmp_path_factory.mktemp("collector"))
    one.begin()
    try:
        wait_until(lambda: listening(one.port), "the collector")
        yield one
    finally:
        one.end()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_image(tmp_path / "image")


def install(image: Path, url: str, *options: str) -> "subprocess.CompletedProcess[str]":
    return ictagent("install", "--root", str(image), "--collector", url, *options)


@pytest.fixture(scope="module")
def token(collector: CollectorProgram) -> str:
    return collector.token(uses=100)


@pytest.fixture
def with_token(tmp_path: Path, token: str) -> tuple[str, str]:
    """The options that enrol."""
    (tmp_path / "good-token").write_text(token)
    return "--token-file", str(tmp_path / "good-token")


def whoami(collector: CollectorProgram, key: str) -> int:
    """The status of asking with a key."""
    return request(collector.port, "GET", "/v1/whoami", {"Authorization": f"Bearer {key}"})[0]


def test_a_host_is_enrolled_once_and_a_dry_run_spends_no_token(
    image: Path, collector: CollectorProgram, with_token: tuple[str, str]
) -> None:
    before = entries(image)
    dry = install(image, collector.url, *with_token, "--site", "Library", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert dry.stdout.startswith("would, in this order:\n")
    assert dry.stdout.endswith("nothing was changed\n")
    assert entries(image) == before
    real = install(image, collector.url, *with_token, "--site", "Library")
    assert real.returncode == 0, real.stderr
    # The real run says what the dry run said, line for line.
    assert real.stdout.splitlines() == dry.stdout.splitlines()[1:-1]
    again = install(image, collector.url, *with_token)
    assert again.stdout == "nothing to change: the agent is installed like this already\n"
    key = image / "etc/ictagent/key"
    assert (key.stat().st_mode & 0o777, key.stat().st_uid) == (0o600, 0)


def test_an_uninstalled_host_has_no_key_at_the_collector_any_more_and_its_data_only_with_purge(
    image: Path, collector: CollectorProgram, with_token: tuple[str, str]
) -> None:
    before = entries(image)
    assert install(image, collector.url, *with_token).returncode == 0
    key = (image / "etc/ictagent/key").read_text().strip()
    assert whoami(collector, key) == 200
    shown = ictagent("uninstall", "--root", str(image), "--dry-run")
    assert f"revoke this host's key at {collector.url}" in shown.stdout
    assert whoami(collector, key) == 200
    gone = ictagent("uninstall", "--root", str(image))
    assert gone.returncode == 0, gone.stderr
    assert whoami(collector, key) == 401
    assert changes(before, entries(image)) - USER_TABLES == {"/var/lib/ictagent"}
    assert ictagent("uninstall", "--root", str(image), "--purge").returncode == 0
    assert changes(before, entries(image)) == set()
    assert "nothing to do" in ictagent("uninstall", "--root", str(image), "--purge").stdout


def test_a_host_whose_collector_is_gone_is_uninstalled_when_its_key_is_left(
    image: Path, collector: CollectorProgram, with_token: tuple[str, str]
) -> None:
    assert install(image, collector.url, *with_token).returncode == 0
    toml = image / "etc/ictagent/agent.toml"
    toml.write_text(toml.read_text().replace(str(collector.port), str(free_port())))
    kept = ictagent("uninstall", "--root", str(image))
    assert kept.returncode == 1
    assert "the key could not be revoked: nothing listens at" in kept.stderr
    assert "--keep-key" in kept.stderr
    assert (image / "etc/ictagent/key").exists()
    assert ictagent("uninstall", "--root", str(image), "--keep-key").returncode == 0
    assert not (image / "etc/ictagent").exists()


def test_a_key_that_the_collector_refuses_is_replaced_by_a_new_one(
    image: Path, collector: CollectorProgram, with_token: tuple[str, str]
) -> None:
    assert install(image, collector.url, *with_token).returncode == 0
    key = image / "etc/ictagent/key"
    first = key.read_text()
    key.write_text("unknown.key\n")
    renewed = image / "var/lib/ictagent/key"
    renewed.write_text("another.unknown\n")
    assert install(image, collector.url, *with_token).returncode == 0
    assert key.read_text() not in (first, "unknown.key\n")
    assert not renewed.exists()


def test_nothing_is_changed_where_no_collector_answers(tmp_path: Path, image: Path) -> None:
    (tmp_path / "token").write_text("a.token")
    before = entries(image)
    failed = install(image, f"http://127.0.0.1:{free_port()}", "--token-file", str(tmp_path / "token"))
    assert failed.returncode == 1
    assert "is the collector running?; nothing was changed" in failed.stderr
    assert entries(image) == before


def test_a_token_that_is_refused_leaves_a_host_that_the_next_run_completes(
    tmp_path: Path, image: Path, collector: CollectorProgram, with_token: tuple[str, str]
) -> None:
    (tmp_path / "token").write_text("no.token")
    failed = install(image, collector.url, "--token-file", str(tmp_path / "token"))
    assert failed.returncode == 1
    assert "the collector did not enrol this host" in failed.stderr
    assert not (image / "etc/ictagent/key").exists()
    assert install(image, collector.url, *with_token).returncode == 0
    assert (image / "etc/ictagent/key").exists()


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ((), 2, "--collector is needed"),
        (("--collector", "http://collector.example"), 78, "is not encrypted"),
        (("--collector", "https://collector.example", "--ca", "/nowhere.pem"), 1, "/nowhere.pem cannot be read"),
        (("--collector", "https://collector.example", "--token-file", "/nowhere"), 1, "token file /nowhere"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_changed(
    image: Path, options: tuple[str, ...], status: int, words: str
) -> None:
    before = entries(image)
    failed = ictagent("install", "--root", str(image), *options)
    assert (failed.returncode, words in failed.stderr) == (status, True), failed.stderr
    assert entries(image) == before


def test_an_image_without_a_key_is_not_started_and_says_what_is_left_to_do(image: Path) -> None:
    done = install(image, "https://collector.example:8420")
    assert done.returncode == 0, done.stderr
    assert "not enrolled" in done.stdout
    assert not (image / "etc/systemd/system/multi-user.target.wants").exists()


def test_the_first_sample_is_shown_as_the_collector_has_it(
    tmp_path: Path, collector: CollectorProgram, capsys: pytest.CaptureFixture[str], token: str
) -> None:
    agent = AgentProgram(tmp_path, collector.url, token)
    agent.begin()
    root = tmp_path / "root"
    try:
        wait_until((agent.state_directory / "key").exists, "a key")
        (root / "etc/ictagent").mkdir(parents=True)
        (root / "etc/ictagent/key").write_text((agent.state_directory / "key").read_text())
        settings = AgentSettings(collector=collector.url)
        _wait_for_report(Host(root), settings, Facts("systemd", ("x",), "y"), None)
    finally:
        agent.end()
    said = capsys.readouterr().out
    assert said.startswith("first sample: device ")
    assert " W (" in said


def test_a_service_that_sends_nothing_is_a_failure_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.commands.install.FIRST_REPORT_SECONDS", 1.0)
    (tmp_path / "etc/ictagent").mkdir(parents=True)
    (tmp_path / "etc/ictagent/key").write_text("a.key")
    heard_before = {"device_id": "d", "last_report_at": 1_795_000_000, "power_watts": 7.0}
    with (
        scripted(Reply(200, heard_before)) as server,
        pytest.raises(AgentError, match="no report of this host reached"),
    ):
        # It was heard of before it was started again, and not since.
        settings = AgentSettings(collector=server.url)
        _wait_for_report(Host(tmp_path), settings, Facts("systemd", ("x",), "y"), 1_795_000_000)
    with scripted(refusal(503)) as server, pytest.raises(AgentError, match="ictagent status"):
        _wait_for_report(Host(tmp_path), AgentSettings(collector=server.url), Facts("systemd", ("x",), "y"), None)


def test_an_upgrade_without_an_installation_says_so(image: Path) -> None:
    done = ictagent("upgrade", "--root", str(image))
    assert (done.returncode, "no service of ictagent is installed here" in done.stderr) == (1, True)


def test_an_upgrade_keeps_state_key_and_settings(
    image: Path, collector: CollectorProgram, with_token: tuple[str, str]
) -> None:
    assert install(image, collector.url, *with_token).returncode == 0
    assert ictagent("collector", "install", "--root", str(image)).returncode == 0
    before = entries(image)
    units = [image / f"etc/systemd/system/ictagent-{name}.service" for name in ("agent", "collector")]
    for unit in units:
        unit.write_text("# of an older release\n" + unit.read_text())
    done = ictagent("upgrade", "--root", str(image))
    assert done.returncode == 0, done.stderr
    assert entries(image) == before
    assert ictagent("upgrade", "--root", str(image)).stdout == "nothing to change: it is up to date\n"


def test_a_collector_is_installed_and_its_database_goes_with_purge_only(image: Path) -> None:
    before = entries(image)
    done = ictagent("collector", "install", "--root", str(image), "--listen", "127.0.0.1:9000")
    assert done.returncode == 0, done.stderr
    assert 'listen = "127.0.0.1:9000"' in (image / "etc/ictagent/collector.toml").read_text()
    assert "nothing to change" in ictagent("collector", "install", "--root", str(image)).stdout
    assert ictagent("collector", "uninstall", "--root", str(image)).returncode == 0
    assert changes(before, entries(image)) - USER_TABLES == {"/var/lib/ictagent-collector"}
    assert ictagent("collector", "uninstall", "--root", str(image), "--purge").returncode == 0
    assert changes(before, entries(image)) == set()


def test_a_password_on_the_command_line_is_refused(image: Path) -> None:
    done = ictagent("collector", "install", "--root", str(image), "--database", "postgresql://me:secret@db/x")
    assert done.returncode == 78
    assert "passfile" in done.stderr
    assert "secret" not in done.stderr


def test_the_name_of_a_file_adds_nothing_to_a_unit(tmp_path: Path, image: Path) -> None:
    before = entries(image)
    key = tmp_path / "key\nExecStartPre=+touch owned"
    key.touch()
    files = ("--certificate-file", str(key), "--certificate-key-file", str(key))
    done = ictagent("collector", "install", "--root", str(image), *files)
    assert (done.returncode, changes(before, entries(image))) == (78, set())
    assert "ExecStartPre" in done.stderr


def test_the_status_of_a_running_agent_is_good_and_of_one_that_ended_is_not(
    tmp_path: Path, collector: CollectorProgram, token: str
) -> None:
    agent = AgentProgram(tmp_path, collector.url, token)
    options = ("--state-directory", str(agent.state_directory))
    none = ictagent("status", *options)
    assert (none.returncode, "no agent has run here" in none.stdout) == (1, True)
    agent.begin()
    try:
        wait_until(lambda: ictagent("status", *options).returncode == 0, "a good status", 60)
        wait_until(lambda: "none yet" not in ictagent("status", *options).stdout, "a report and a key", 60)
        good = json.loads(ictagent("status", *options, "--output", "json").stdout)
        assert agent.stop() == 0
    finally:
        agent.end()
    assert (good["good"], good["running"]) == (True, True)
    said = good["agent"]
    assert abs(said["last_report_at"] - time.time()) < 60
    assert said["key_id"] == (agent.state_directory / "key").read_text().partition(".")[0]
    assert (said["rejected_reports"], said["last_problem"]) == (0, "")
    assert {source["source"] for source in said["sources"]} >= {"rapl", "hwmon"}
    ended = ictagent("status", *options)
    assert ended.returncode == 1
    assert "the agent is not running; ictagent install" in ended.stdout


def test_the_status_of_an_agent_that_is_not_heard_names_the_reason(tmp_path: Path) -> None:
    port = free_port()
    agent = AgentProgram(tmp_path, f"http://127.0.0.1:{port}", "a.token")
    options = ("--state-directory", str(agent.state_directory))
    agent.begin()
    try:
        wait_until(lambda: "nothing listens at" in ictagent("status", *options).stdout, "the reason", 60)
        told = ictagent("status", *options)
    finally:
        agent.end()
    assert told.returncode == 1
    assert f"no report was taken yet: nothing listens at 127.0.0.1:{port}" in told.stdout
    assert "reports are kept" in told.stdout


def test_the_status_says_so_where_the_configuration_is_wrong() -> None:
    told = ictagent("status", extra={"ICTAGENT_REPORT_SECONDS": "often"})
    assert told.returncode == 1
    assert "the configuration is wrong: ICTAGENT_REPORT_SECONDS" in told.stdout
