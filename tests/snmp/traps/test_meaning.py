"""What notifications mean, by the rules that are written after MIBs."""

import pytest

from agent.errors import ConfigurationError
from collector.snmp.traps.codes import EVENT_CODES
from collector.snmp.traps.meaning import LONGEST_DETAIL, event_files, meaning_of, parsed, rules

ALARM = "1.3.6.1.2.1.33.1.6.2.1.2.7"


@pytest.mark.parametrize(
    ("oid", "variables", "code"),
    [
        ("1.3.6.1.2.1.33.2.3", [(ALARM, "1.3.6.1.2.1.33.1.6.3.8")], "ups_overload"),
        ("1.3.6.1.2.1.33.2.4", [(ALARM, "1.3.6.1.2.1.33.1.6.3.8")], "ups_overload_ended"),
        ("1.3.6.1.2.1.33.2.3", [(ALARM, "1.3.6.1.4.1.534.1.7.99")], "alarm"),
        ("1.3.6.1.2.1.33.2.0.1", [], "ups_on_battery"),
        ("1.3.6.1.4.1.318.0.5", [], "ups_on_battery"),
        ("1.3.6.1.4.1.318.0.9", [], "ups_on_line"),
        ("1.3.6.1.4.1.318.0.276", [], "pdu_overload"),
        ("1.3.6.1.4.1.534.1.11.4.1.0.4", [], "ups_battery_low"),
        ("1.3.6.1.4.1.9.9.13.3.0.9", [("1.3.6.1.4.1.9.9.13.1.5.1.3.1", 6)], "psu_failed"),
        ("1.3.6.1.4.1.9.9.13.3.0.9", [("1.3.6.1.4.1.9.9.13.1.5.1.3.1", 1)], "psu_restored"),
        ("1.3.6.1.4.1.9.9.117.2.0.2", [("1.3.6.1.4.1.9.9.117.1.1.2.1.2.470", 8)], "psu_failed"),
        ("1.3.6.1.4.1.2636.4.1.1", [], "psu_failed"),
        ("1.3.6.1.4.1.11.2.14.12.1.0.6", [("1.3.6.1.4.1.11.2.14.11.1.2.11.1.2.1", 4)], "psu_failed"),
        ("1.3.6.1.4.1.1718.4.100.0.14", [("1.3.6.1.4.1.1718.4.1.7.3.1.4.1.1.1", 17)], "pdu_overload"),
        ("1.3.6.1.4.1.13742.6.0.65", [("1.3.6.1.4.1.13742.6.5.3.3.1.3.1.1.15", 0)], "breaker_open"),
        ("1.3.6.1.6.3.1.1.5.1", [], "cold_start"),
        ("1.3.6.1.4.1.99999.0.1", [], "notification"),
    ],
)
def test_notifications_mean_what_their_mibs_say(oid: str, variables: list[tuple[str, int | str]], code: str) -> None:
    found = meaning_of(oid, variables)
    assert (found.code, found.severity) == (code, EVENT_CODES[code].severity)


def test_texts_of_variables_are_told_without_communities_and_octets() -> None:
    variables: list[tuple[str, int | float | str]] = [
        ("1.3.6.1.6.3.18.1.4.0", "the community"),
        ("1.3.6.1.4.1.1.1", "0x00ff"),
        ("1.3.6.1.4.1.1.2", "1.3.6.1"),
        ("1.3.6.1.4.1.1.3", "outlet 7"),
        ("1.3.6.1.4.1.1.4", "outlet 7"),
        ("1.3.6.1.4.1.1.5", "x" * 4000),
    ]
    detail = meaning_of("1.3.6.1.4.1.318.0.41", variables).detail
    assert detail.startswith("an outlet was switched on: outlet 7, xxx")
    assert len(detail) == LONGEST_DETAIL
    assert "community" not in detail


def test_every_fault_that_ends_has_its_end_and_few_codes_stand_for_nothing() -> None:
    used = {rule.code for several in rules().values() for rule in several}
    assert set(EVENT_CODES) - used == {"notification", "poe_fault", "ups_test_failed"} - used
    assert len(rules()) > 1500
    for one in event_files().values():
        assert one.mib
        assert one.event


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('oid = "1.3.6.1.9.1"\nobject = "x"\ncode = "on_fire"', "there is no code on_fire"),
        ('oid = "1.3.6.x"\nobject = "x"\ncode = "alarm"', "is no OID"),
        ('oid = "1.3.6.1"\nobject = "x"\ncode = "alarm"\nwhere = [{ oid = "1.3.6", matches = "(" }]', "x: '('"),
        ('oid = "1.3.6.1"\nobject = "x"\ncode = "alarm"\nseverity = "bad"', "Invalid enum value 'bad'"),
    ],
)
def test_a_wrong_rule_is_named_with_its_file_and_what_is_wrong(text: str, what: str) -> None:
    with pytest.raises(ConfigurationError, match="events ours: ") as raised:
        parsed("ours", f'title = "x"\nmib = ["X"]\n[[event]]\n{text}\n')
    assert what in str(raised.value)
