"""Looking for hardware that a host does not have costs little: once a minute, not at every sample."""

from agent.outcome import Absent, Data, Outcome
from agent.sources.reading import RawReading
from agent.sources.source import LOOK_AGAIN_NS, Background

METER = RawReading("ups/watts", "power", "ups_output", 120.0)


def test_what_is_not_there_is_looked_for_once_a_minute_and_found_when_it_comes() -> None:
    clock, looks, there = [10**9], [], [False]

    def present() -> Absent | None:
        looks.append(clock[0])
        return None if there[0] else Absent("no such device")

    def read() -> Outcome[list[RawReading]]:
        return Data([METER])

    source = Background(read, 10, present=present, patience_seconds=20, now=lambda: clock[0])
    for _ in range(6):
        assert source.read() == Absent("no such device")
        clock[0] += LOOK_AGAIN_NS // 6
    assert looks == [10**9]
    there[0] = True
    found = source.read()
    assert isinstance(found, Data)
    assert [one.name for one in found.value] == ["ups/watts"]
    assert len(looks) == 2
    source.close()
