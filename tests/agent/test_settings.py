"""Settings: which place wins, and that a wrong one is named before anything runs."""

from pathlib import Path
from typing import Any

import pytest

from agent.errors import ConfigurationError
from agent.settings import AgentSettings, check_agent, check_url, load, load_agent


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def loaded(folder: Path, flags: dict[str, Any] | None = None, **environment: str) -> AgentSettings:
    return load("agent", AgentSettings, flags, environment, folder).settings


def test_without_any_configuration_the_defaults_hold_and_can_run(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    check_agent(settings)
    assert (settings.collector, settings.interval_seconds, settings.report_seconds) == ("", 10.0, 60.0)
    assert settings.spool_limit_bytes == 256 * 1024 * 1024


def test_a_flag_wins_over_the_environment_which_wins_over_files_which_win_over_defaults(tmp_path: Path) -> None:
    path = write(tmp_path, "agent.toml", "[agent]\ninterval_seconds = 20\nreport_seconds = 120\nlog_level = 'error'\n")
    found = load(
        "agent",
        AgentSettings,
        {"interval_seconds": 30.0, "collector": None},
        {"ICTAGENT_INTERVAL_SECONDS": "25", "ICTAGENT_REPORT_SECONDS": "180"},
        tmp_path,
    )
    settings = found.settings
    assert (settings.interval_seconds, settings.report_seconds, settings.log_level) == (30.0, 180.0, "error")
    origins = {name: found.origins[name] for name in ("interval_seconds", "report_seconds", "log_level", "collector")}
    assert origins == {
        "interval_seconds": "flag",
        "report_seconds": "ICTAGENT_REPORT_SECONDS",
        "log_level": str(path),
        "collector": "default",
    }


def test_files_are_read_in_the_order_of_their_names_and_conf_d_last(tmp_path: Path) -> None:
    write(tmp_path, "conf.d/10-site.toml", "[agent]\nca = 'site'\nproxy = 'http://site:1'\n")
    write(tmp_path, "conf.d/20-host.toml", "[agent]\nca = 'host'\n")
    write(tmp_path, "z.toml", "[agent]\nca = 'z'\nproxy = 'http://z:1'\nkey_file = 'z'\n")
    write(tmp_path, "a.toml", "[agent]\nkey_file = 'a'\ntoken_file = 'a'\n")
    write(tmp_path, "ignored.conf", "not TOML")
    settings = loaded(tmp_path)
    assert (settings.ca, settings.proxy, settings.key_file, settings.token_file) == ("host", "http://site:1", "z", "a")


def test_one_file_may_hold_the_settings_of_both_agent_and_collector(tmp_path: Path) -> None:
    write(tmp_path, "ictagent.toml", "[agent]\nca = 'x'\n[collector]\nlisten = '127.0.0.1:1'\n")
    assert loaded(tmp_path).ca == "x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[agent]\nintervall_seconds = 5\n", "there is no setting intervall_seconds; did you mean interval_seconds?"),
        ("[agent]\nzzz = 5\n", "there is no setting zzz$"),
        ("[agnet]\nca = 'x'\n", r"\[agnet\] is not a section; write settings under \[agent\] or \[collector\]"),
        ("interval_seconds = 5\n", r"\[interval_seconds\] is not a section"),
        ("agent = 5\n", r"agent must be a section, written \[agent\]"),
        ("[agent\n", "is not TOML: "),
        ("[agent]\ninterval_seconds = '5'\n", "interval_seconds must be a number, not '5'"),
        ("[agent]\ninterval_seconds = true\n", "interval_seconds must be a number, not True"),
        ("[agent]\ninterval_seconds = inf\n", "interval_seconds must be a number, not inf"),
        ("[agent]\ninterval_seconds = nan\n", "interval_seconds must be a number, not nan"),
        ("[agent]\nspool_limit_bytes = 1.5\n", "spool_limit_bytes must be a whole number, not 1.5"),
        ("[agent]\ncollector = 5\n", "collector must be a text, not 5"),
        ("[agent]\nstate_directory = 5\n", "state_directory must be a path, not 5"),
        ("[agent]\nstate_directory = ''\n", "state_directory must be a path, not ''"),
        ("[agent]\ndisabled_sources = 'rapl'\n", "disabled_sources must be a list of texts, not 'rapl'"),
        ("[agent]\ndisabled_sources = [5]\n", "disabled_sources must be a list of texts"),
    ],
)
def test_a_wrong_file_is_named_with_the_setting_and_what_it_should_be(text: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, "conf.d/site.toml", text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        loaded(tmp_path)
    assert str(caught.value).startswith(str(path))


def test_a_file_that_is_not_utf_8_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"[agent]\nca = '\xff'\n")
    with pytest.raises(ConfigurationError, match=r"a\.toml cannot be read"):
        loaded(tmp_path)
    (tmp_path / "a.toml").unlink()
    (tmp_path / "a.toml").mkdir()
    with pytest.raises(ConfigurationError, match=r"a\.toml cannot be read: .*Is a directory"):
        loaded(tmp_path)


def test_the_environment_gives_numbers_and_lists_as_text(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path, ICTAGENT_DISABLED_SOURCES="rapl, battery,", ICTAGENT_SPOOL_LIMIT_BYTES="2000000", ICTAGENT_CA="/x.pem"
    )
    assert (settings.disabled_sources, settings.spool_limit_bytes) == (("rapl", "battery"), 2_000_000)
    with pytest.raises(ConfigurationError, match="ICTAGENT_INTERVAL_SECONDS: interval_seconds must be a number"):
        loaded(tmp_path, ICTAGENT_INTERVAL_SECONDS="ten")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"interval_seconds": 0.5}, "interval_seconds must lie between 1 and 60"),
        ({"interval_seconds": 61.0, "report_seconds": 120.0}, "an energy counter could wrap unseen"),
        ({"interval_seconds": 30.0, "report_seconds": 20.0}, "report_seconds must lie between interval_seconds and"),
        ({"report_seconds": 3601.0}, "report_seconds must lie between"),
        ({"spool_limit_bytes": 1000}, "spool_limit_bytes must be at least 1048576"),
        ({"log_level": "loud"}, "log_level 'loud' is not one of debug, info, warning, error"),
        ({"proxy": "https://proxy:1"}, "proxy 'https://proxy:1' is not an http:// address"),
        ({"proxy": "http://proxy:1", "collector": "https://[2001:db8::1]:8420"}, "must be given by its name"),
        ({"proxy": "proxy:3128"}, "is not an address such as http://proxy.example:3128"),
        ({"proxy": "http://me:pw@proxy:3128"}, "proxy must hold no user name or password"),
        ({"disabled_sources": ("rapl", "nvidea")}, "there is no source 'nvidea'; there are acpi_meter, redfish,"),
        ({"redfish_url": "http://bmc.example"}, "redfish_url 'http://bmc.example' is not encrypted"),
        ({"redfish_url": "https://bmc.example"}, "redfish_url needs redfish_user and redfish_password_file"),
        ({"bmc_interval_seconds": 9.0}, "bmc_interval_seconds must lie between 10 and 300"),
        ({"bmc_interval_seconds": 301.0}, "bmc_interval_seconds must lie between 10 and 300"),
        ({"nut_address": "ups.example:3493"}, "nut_address 'ups.example:3493' is no address of this host"),
        ({"nut_address": "127.0.0.1"}, "nut_address '127.0.0.1' is no address of this host"),
        ({"nut_address": "[::1]:70000"}, r"nut_address '\[::1\]:70000' is no address of this host"),
    ],
)
def test_values_that_cannot_work_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_agent(AgentSettings(**changes))


@pytest.mark.parametrize(
    "url",
    [
        "https://collector.example",
        "https://collector.example:8420/energy",
        "https://[2001:db8::1]:8420",
        "http://127.0.0.1:8420",
        "http://localhost",
        "http://[::1]:8420",
    ],
)
def test_https_anywhere_and_http_to_this_machine_are_addresses_of_a_collector(url: str) -> None:
    check_url(url, "collector")


@pytest.mark.parametrize(
    "url",
    [
        "http://collector.example:8420",
        "http://192.168.1.5",
        "http://127.0.0.2",
        "http://localhost.example",
        "http://127.0.0.1.example:80",
        "http://[::2]:8420",
    ],
)
def test_a_key_is_never_sent_unencrypted_to_another_machine(url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not encrypted: use https; http works to this machine only"):
        check_url(url, "collector")


@pytest.mark.parametrize(
    "url",
    [
        "collector.example",
        "collector.example:8420",
        "ftp://collector.example",
        "https://",
        "https://:8420",
        "https://collector.example:port",
        "https://collector.example:99999",
        "https://collector.example:0",
        "https://[::1",
        "https://collector.example/?a=b",
        "https://coll ector.example",
        "https://collector.example\n",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is not an address such as https://collector.example:8420"):
        check_url(url, "collector")


@pytest.mark.parametrize(
    "url", ["http://localhost:x@evil.example:80", "http://127.0.0.1@evil.example/", "https://a:b@c.d"]
)
def test_an_address_with_a_user_in_it_is_refused_since_it_hides_where_the_key_goes(url: str) -> None:
    with pytest.raises(ConfigurationError):
        check_url(url, "collector")


def test_the_agents_settings_are_checked_when_they_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ICTAGENT_COLLECTOR", "http://collector.example")
    with pytest.raises(ConfigurationError, match="is not encrypted"):
        load_agent(directory=tmp_path)
