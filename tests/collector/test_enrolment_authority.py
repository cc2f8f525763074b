"""The collector's own authority: made once, kept to its owner, its certificate renewed in time and for the right names."""

import datetime
import ipaddress
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from agent.authority import fingerprint_of
from agent.errors import AgentError, ConfigurationError
from collector.authority import CERTIFICATE_DAYS, RENEWAL_DAYS, Authority, own_names
from collector.commands.common import load_collector

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
NAMES = ["collector.example", "192.0.2.7", "localhost", "127.0.0.1", "::1"]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    one = Authority(tmp_path / "authority")
    assert one.renew(NAMES, NOW)
    return one


def certificate(authority: Authority) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.certificate_file.read_bytes())


def days(count: float) -> datetime.timedelta:
    return datetime.timedelta(days=count)


def test_private_keys_are_for_their_owner_only(authority: Authority) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in authority.directory.iterdir()}
    assert modes == {"ca.pem": 0o644, "ca-key.pem": 0o600, "server.pem": 0o644, "server-key.pem": 0o600}
    assert authority.directory.stat().st_mode & 0o777 == 0o700


def test_the_certificate_is_good_for_its_names_to_openssl(authority: Authority) -> None:
    ca = authority.directory / "ca.pem"
    for name, option in (("collector.example", "-verify_hostname"), ("192.0.2.7", "-verify_ip"), ("::1", "-verify_ip")):
        verify = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(ca), option, name]
        done = subprocess.run([*verify, str(authority.certificate_file)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    wrong = ["openssl", "verify", "-CAfile", str(ca), "-verify_hostname", "other.example"]
    assert subprocess.run([*wrong, str(authority.certificate_file)], capture_output=True, check=False).returncode != 0


def test_the_fingerprint_is_what_openssl_says(authority: Authority) -> None:
    said = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", str(authority.directory / "ca.pem")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.strip().partition("=")[2].replace(":", "").lower() == authority.fingerprint
    assert fingerprint_of(authority.pem.decode()) == authority.fingerprint


def test_a_start_makes_nothing_anew_and_a_certificate_near_its_end_is_renewed(authority: Authority) -> None:
    pinned, before = authority.fingerprint, certificate(authority)
    assert before.not_valid_after_utc == NOW + days(CERTIFICATE_DAYS)
    assert not authority.renew(NAMES, NOW)
    assert not authority.renew(NAMES, NOW + days(CERTIFICATE_DAYS - RENEWAL_DAYS) - datetime.timedelta(seconds=1))
    later = NOW + days(CERTIFICATE_DAYS - RENEWAL_DAYS)
    assert authority.renew(NAMES, later)
    after = certificate(authority)
    assert after.not_valid_after_utc == later + days(CERTIFICATE_DAYS)
    assert after.serial_number != before.serial_number
    assert authority.fingerprint == pinned, "hosts go on trusting it"


def test_other_names_are_another_certificate(authority: Authority) -> None:
    assert not authority.renew(list(reversed(NAMES)), NOW)
    assert authority.renew([*NAMES, "new.example"], NOW)
    names = certificate(authority).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"collector.example", "localhost", "new.example"}
    assert ipaddress.ip_address("192.0.2.7") in names.get_values_for_type(x509.IPAddress)


def test_a_crash_between_key_and_certificate_is_mended_at_the_next_start(authority: Authority) -> None:
    stale = authority.certificate_file.read_bytes()
    authority.renew(NAMES, NOW + days(80))
    authority.certificate_file.write_bytes(stale)
    assert authority.renew(NAMES, NOW)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(authority.certificate_file, authority.key_file)


@pytest.mark.parametrize("damage", ["ca-key.pem", "ca.pem", "foreign"])
def test_a_damaged_authority_is_said_and_never_replaced_in_silence(
    authority: Authority, damage: str, tmp_path: Path
) -> None:
    if damage == "foreign":
        other = Authority(tmp_path / "other")
        other.renew(NAMES, NOW)
        (authority.directory / "ca-key.pem").write_bytes((other.directory / "ca-key.pem").read_bytes())
    else:
        (authority.directory / damage).write_text("damaged")
    before = (authority.directory / "ca.pem").read_bytes()
    with pytest.raises(AgentError, match=r"the collector's authority in .* cannot be used: .*backup"):
        authority.renew(NAMES, NOW)
    assert (authority.directory / "ca.pem").read_bytes() == before


def test_without_names_it_is_for_this_machine_and_where_it_listens() -> None:
    everywhere = "0.0.0.0"  # noqa: S104  # a setting, not listened at
    assert own_names(["collector.example"], everywhere) == ["collector.example", "localhost", "127.0.0.1", "::1"]
    found = own_names([], "[2001:db8::7]")
    assert "2001:db8::7" in found
    assert {"localhost", "127.0.0.1", "::1"} <= set(found)
    assert not {everywhere, "::"} & set(own_names([], "[::]") + own_names([], everywhere))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tls": "mine"}, "tls 'mine' is not known"),
        ({"tls": "own", "certificate_file": "a", "certificate_key_file": "b"}, "exclude each other"),
        ({"server_names": ["a.example"]}, "are for tls = own"),
        ({"tls": "own", "server_names": ["a b"]}, "'a b' is no host name"),
        ({"listen": "0.0.0.0:8420"}, 'set tls = "own", or certificate_file'),
        ({"key_days": 0}, "key_days must lie between"),
        ({"enrolments_per_minute": 0}, "enrolments_per_minute must lie between"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load_collector(settings, tmp_path)
    assert load_collector({"tls": "own", "listen": "0.0.0.0:8420"}, tmp_path).settings.tls == "own"
