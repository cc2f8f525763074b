"""This machine as its management controller shows it by Redfish: which chassis it is, and what these draw together.

A controller may serve several machines and list what hangs in or around each: the chassis of the system with this
machine's UUID are read, and those within another of them are not added to it.
Source: DMTF DSP0266; ComputerSystem and Chassis schemas.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from agent.inventory.uuids import normalised, read_system_uuid, same_machine
from agent.outcome import Absent, Data, Failed, Outcome
from agent.sources.doubt import HIGHEST_MACHINE_WATTS, Doubt
from agent.sources.energy_proof import Proof
from agent.sources.reading import RawReading
from agent.sources.redfish import NAME
from agent.sources.redfish_client import (
    LOOK_SECONDS,
    ROOT_PATH,
    ROUND_SECONDS,
    RedfishClient,
    RedfishError,
    Resource,
    link,
    links,
)
from agent.sources.redfish_power import COARSEST_STEP_UJ, SHARED_SUPPLIES, ChassisPower, chassis_power, members

_FORGOTTEN_AFTER = 20
"""Readings that a form of answer may fail before another takes its place."""
_LOOKED_FOR_SECONDS = 86_400.0
"""Chassis are looked for again after so long, as some are added; one that is gone is looked for at once."""
_GONE = (400, 404, 410)
"""Statuses of a chassis that may have another name now."""
_SWITCH_OFF = 'or switch the source off: disabled_sources = ["redfish"]'
_NO_MACHINES = ("Virtual", "OS", "Composed", "DPU")
"""System types that run within a machine."""
_SERVERS = ("RackMount", "StandAlone")
_AROUND = ("Rack", "RackGroup", "Row", "Pod", "Zone", "Facility", "StorageEnclosure", "Shelf")
"""Chassis types that are no machine."""


class Machine:
    """This machine as its controller shows it. `only` names chassis by Id, where their choice must be helped."""

    def __init__(
        self,
        client: RedfishClient,
        root: Path,
        only: frozenset[str] = frozenset(),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._root, self._only, self._now = client, root, only, now
        self._steps: dict[str, int] = {}
        self._proofs: dict[str, Proof] = {}
        self._doubt = Doubt(root)
        self._chassis: list[str] = []
        self._known: list[str] = []
        self._measuring: frozenset[str] = frozenset()
        self._forms: dict[str, str] = {}
        self._missed = 0
        self._looked_at = 0.0
        self._lock = threading.Lock()

    def read(self) -> Outcome[list[RawReading]]:
        with self._lock:
            self._client.begin(ROUND_SECONDS if self._chassis and not self._look_is_due() else LOOK_SECONDS)
            try:
                return self._read()
            except RedfishError as error:
                if error.status in _GONE:
                    self._chassis = []
                return Failed(f"the controller: {error}", f"{error.remedy}, {_SWITCH_OFF}")

    def close(self) -> None:
        with self._lock:
            self._client.close()

    def _read(self) -> Outcome[list[RawReading]]:
        if not self._chassis or self._look_is_due():
            found = self._look()
            if isinstance(found, Failed):
                return found
            if found != self._known:
                self._measuring, self._forms = frozenset(), {}
            self._chassis, self._known, self._looked_at = found, found, time.monotonic()
        resources = [self._client.get(path) for path in self._chassis]
        outermost = _outermost(self._chassis, resources)
        powers = {
            name: chassis_power(one, self._client.get, self._forms.get(name, ""))
            for name, one in {_id(one): one for one in outermost}.items()
        }
        # Chassis that measure nothing (backplanes, risers) stand beside the one that does.
        measured = {name: power for name, power in powers.items() if power is not None}
        if lost := sorted(self._measuring - measured.keys()):
            self._missed += 1
            if self._missed >= _FORGOTTEN_AFTER:
                self._forms, self._missed = {}, 0
            # A part must not pass for the whole, nor a gap for a machine without a meter.
            return Failed(
                f"the controller gives no reading of chassis {', '.join(lost)} now",
                f"look at the controller's own page, {_SWITCH_OFF}",
            )
        if not measured:
            self._chassis = []
            return Absent("the controller gives no power of this machine's chassis")
        self._measuring, self._missed = frozenset(measured), 0
        self._forms = {name: one.form for name, one in measured.items() if one.watts > 0}
        return self._judged(measured)

    def _look_is_due(self) -> bool:
        return time.monotonic() - self._looked_at > _LOOKED_FOR_SECONDS

    def _judged(self, powers: dict[str, ChassisPower]) -> Outcome[list[RawReading]]:
        watts = sum(one.watts for one in powers.values())
        if doubt := self._doubt.of(watts):
            return Failed(f"the controller does not measure: {doubt}", f"update its firmware, {_SWITCH_OFF}")
        covers = {one.covers for one in powers.values()}
        if len(covers) > 1:
            return Failed(
                "the controller gives the input of one chassis and the output of another's supplies",
                f"name the chassis to read in redfish_chassis, {_SWITCH_OFF}",
            )
        name = f"{NAME}/{'+'.join(sorted(powers))}"[:200]
        readings = [RawReading(name, "power", covers.pop(), watts)]
        if len(powers) == 1:
            (one,) = powers.values()
            if one.energy_uj is not None:
                self._add_counter(readings, one.energy_uj, one.energy_step_uj)
        return Data(readings)

    def _add_counter(self, readings: list[RawReading], energy_uj: int, step_uj: int) -> None:
        """The counter beside the watts, where it counts finely; before them, to stand for the machine, once it is proved.

        How finely is known by the finest figure so far: every tenth lacks its last digit, which is a nought.
        """
        (power,) = readings
        step_uj = self._steps[power.name] = min(step_uj, self._steps.get(power.name, step_uj))
        if step_uj > COARSEST_STEP_UJ:
            return
        proof = self._proofs.setdefault(power.name, Proof())
        proved = proof.given(energy_uj, step_uj, float(power.value), self._now())
        counter = RawReading(
            f"{power.name}/energy", "counter", power.covers, energy_uj, highest_watts=HIGHEST_MACHINE_WATTS
        )
        readings.insert(0 if proved else 1, counter)

    def _look(self) -> list[str] | Failed:
        """The paths of this machine's chassis."""
        root = self._client.get(ROOT_PATH)
        every = members(link(root, "Chassis"), self._client.get)
        if self._only:
            named = [path for path in every if _id(self._client.get(path)) in self._only]
            if len(named) < len(self._only):
                return Failed(
                    "a chassis named in redfish_chassis is not there",
                    "correct redfish_chassis to the Ids of /redfish/v1/Chassis",
                )
            return named
        systems = {path: self._client.get(path) for path in members(link(root, "Systems"), self._client.get)}
        others = frozenset(path.rstrip("/") for path, one in systems.items() if one.get("SystemType") in _NO_MACHINES)
        physical = [one for path, one in systems.items() if path.rstrip("/") not in others]
        mine = physical
        if len(physical) > 1:
            own = read_system_uuid(self._root)
            mine = [one for one in physical if same_machine(own, str(one.get("UUID") or ""))]
            if not mine:
                why = "none has this machine's UUID" if normalised(own) else "this machine's UUID cannot be read"
                return Failed(
                    f"the controller serves {len(physical)} systems, and {why}",
                    f"name this machine's chassis in redfish_chassis, {_SWITCH_OFF}",
                )
        linked = [path for one in mine for path in links(one.get("Links"), "Chassis")]
        candidates = list(dict.fromkeys(linked)) or every
        return self._of_this_machine_alone(candidates, others)

    def _of_this_machine_alone(self, candidates: list[str], others: frozenset[str]) -> list[str] | Failed:
        """Without what stands around machines, and without what feeds several of them; `others` are systems within one."""
        shared: list[str] = []
        found: list[str] = []
        types: dict[str, str] = {}
        machines: set[str] = set()
        around: set[str] = set()
        contents: dict[str, set[str]] = {}
        for path in candidates:
            chassis = self._client.get(path)
            types[path] = str(chassis.get("ChassisType") or "")
            if types[path] in _AROUND:
                continue
            fed = {one.rstrip("/") for one in links(chassis.get("Links"), "ComputerSystems")} - others
            (shared if len(fed) > 1 else found).append(path)
            if fed and types[path] in (*_SERVERS, *SHARED_SUPPLIES):
                machines.add(path.rstrip("/"))
                around.add(link(chassis.get("Links"), "ContainedBy").rstrip("/"))
            else:
                contents[path] = {one.rstrip("/") for one in links(chassis.get("Links"), "Contains")}
        # A node's controller may list the enclosure, and know of no neighbour in it: it is no system's own chassis.
        around |= {path.rstrip("/") for path, within in contents.items() if within & machines}
        found = [path for path in found if path.rstrip("/") in machines or path.rstrip("/") not in around]
        own = {types[path] for path in found}
        if own & {*SHARED_SUPPLIES}:
            found = [path for path in found if types[path] not in ("Enclosure", *_SERVERS)]
        elif own & {*_SERVERS}:
            found = [path for path in found if types[path] != "Enclosure"]
        if not found and shared:
            return Failed(
                "the controller gives power only of a chassis that feeds several systems",
                "meter this machine at its outlet, " + _SWITCH_OFF,
            )
        return found


def _outermost(paths: list[str], resources: list[Resource]) -> list[Resource]:
    """The chassis that lie in no other of them: what a chassis draws holds what its contents draw."""
    listed = {path.rstrip("/") for path in paths}
    inside = {one.rstrip("/") for resource in resources for one in links(resource.get("Links"), "Contains")}
    found = []
    for path, resource in zip(paths, resources, strict=True):
        holder = link(resource.get("Links"), "ContainedBy").rstrip("/")
        if holder not in listed and path.rstrip("/") not in inside:
            found.append(resource)
    return found or resources


def _id(resource: Resource) -> str:
    """A chassis' Id, as its meters are named."""
    name = str(resource.get("Id") or "") or str(resource.get("@odata.id") or "").rstrip("/").rpartition("/")[2]
    return "".join(one if one.isprintable() and not one.isspace() else "_" for one in name)[:64] or "chassis"
