"""Energy of NVIDIA graphics cards, by the management library that comes with their driver (NVML), called directly.

The millijoules counted since the driver was loaded (Volta and newer), else the milliwatts, which the card averages. A
card that is divided (MIG) is read as a whole. A part of the machine: shown, never added to a meter that holds the
whole. Calls are made in the background: a card that has fallen off the bus may hold them for long.
Source: NVIDIA's NVML API reference (nvmlDeviceGetTotalEnergyConsumption, nvmlDeviceGetPowerUsage).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.files import names_in, text_or_empty, there
from agent.outcome import Absent, Data, Failed, Outcome
from agent.sources.needs import NOTHING, Needs
from agent.sources.reading import RawReading
from agent.sources.source import Background, Source

if TYPE_CHECKING:
    from agent.settings import AgentSettings

NAME = "nvidia"
LIBRARY = "libnvidia-ml.so.1"
PERIOD_SECONDS = 10.0
PATIENCE_SECONDS = 0.2
HIGHEST_CARD_WATTS = 3000.0
_VENDOR = "0x10de"
_MOST_CARDS = 64
_TEXT_BYTES = 96
_SWITCH_OFF = 'switch the source off: disabled_sources = ["nvidia"]'

_SUCCESS, _NOT_SUPPORTED, _NO_PERMISSION, _NOT_LOADED, _MISMATCH = 0, 3, 4, 9, 18
_WORDS = {
    1: "the library was not initialised",
    3: "the card does not measure it",
    4: "not allowed",
    6: "the card is not found",
    8: "a card's power cables are not connected",
    9: "the kernel's NVIDIA driver is not loaded",
    10: "the card does not answer in time",
    15: "the card has fallen off the bus",
    16: "the card must be reset",
    18: "the driver and its library are of different versions",
}
"""nvmlReturn_t."""
_REMEDIES = {
    4: "let the agent's user open /dev/nvidiactl and /dev/nvidia0",
    9: "load the driver (modprobe nvidia)",
    15: "look for Xid 79 in the kernel's log; reseat the card or restart the machine",
    16: "reset the card (nvidia-smi --gpu-reset) or restart the machine",
    18: "restart the machine, or, where the driver was updated and loaded anew, the agent: both must be of one release",
}


def make(_settings: "AgentSettings", root: Path) -> Source:
    """The source, which loads the library only where there is a card."""
    cards = Cards()
    return Background(
        cards.read,
        PERIOD_SECONDS,
        present=lambda: present(root),
        farewell=cards.close,
        patience_seconds=PATIENCE_SECONDS,
    )


def present(root: Path) -> Absent | None:
    """Why there is no card to ask, or None."""
    drivers = [driver for vendor, driver in _display_devices(root) if vendor == _VENDOR]
    if not drivers and not there(root / "proc/driver/nvidia/version"):
        return Absent("there is no NVIDIA graphics card")
    if drivers and all(_sleeps(root)):
        return Absent("the NVIDIA graphics card sleeps")
    if root != Path("/"):
        return Absent("a captured tree cannot be asked")
    if drivers and "nvidia" not in drivers and not there(root / "proc/driver/nvidia/version"):
        driver = next((one for one in drivers if one), "")
        by = f"runs on the driver {driver}" if driver else "has no driver"
        return Absent(f"the NVIDIA card {by}; only NVIDIA's own counts energy")
    return None


def needs(root: Path) -> Needs:
    """The driver's device nodes."""
    nodes = root / "dev"
    names = names_in(nodes)
    found = frozenset(f"/dev/{name}" for name in names if name.startswith("nvidia") and (nodes / name).is_char_device())
    return Needs(devices=found) if found else NOTHING


def _sleeps(root: Path) -> list[bool]:
    """Whether each NVIDIA card sleeps (a laptop's second card mostly does): a question would wake it."""
    tree = root / "sys/bus/pci/devices"
    return [
        text_or_empty(tree / name / "power/runtime_status") == "suspended"
        for name in names_in(tree)
        if text_or_empty(tree / name / "class").startswith("0x03") and text_or_empty(tree / name / "vendor") == _VENDOR
    ]


def _display_devices(root: Path) -> list[tuple[str, str]]:
    """Vendor and driver of each graphics card or accelerator on the PCI bus."""
    tree = root / "sys/bus/pci/devices"
    found = []
    for name in names_in(tree):
        if text_or_empty(tree / name / "class").startswith("0x03"):
            link = tree / name / "driver"
            driver = link.resolve().name if link.is_symlink() else ""
            found.append((text_or_empty(tree / name / "vendor"), driver))
    return found


class _Refused(Exception):
    """A call's return code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(_WORDS.get(code, f"NVML error {code}"))


class Cards:
    """The library, loaded at the first reading, and what its cards count."""

    def __init__(self, library: str = LIBRARY) -> None:
        self._library = library
        self._nvml: Any = None

    def read(self) -> Outcome[list[RawReading]]:
        try:
            self._open()
        except (OSError, AttributeError) as error:
            return Failed(
                f"{LIBRARY} cannot be loaded: {error}", f"install the driver's library (libnvidia-ml), or {_SWITCH_OFF}"
            )
        except _Refused as error:
            return Failed(
                f"NVML does not start: {error}", _REMEDIES.get(error.code, f"try nvidia-smi, or {_SWITCH_OFF}")
            )
        readings: list[RawReading] = []
        silent: list[str] = []
        broken: _Refused | None = None
        try:
            count = self._count()
        except _Refused as error:
            # A driver that was loaded anew under the library.
            self.close()
            return Failed(
                f"NVML counts no cards: {error}", _REMEDIES.get(error.code, f"try nvidia-smi, or {_SWITCH_OFF}")
            )
        for index in range(min(count, _MOST_CARDS)):
            try:
                reading = self._card(index)
            except _Refused as error:
                broken = error
                silent.append(f"card {index}: {error}")
                continue
            if reading is None:
                silent.append(f"card {index} measures no power")
            else:
                readings.append(reading)
        if broken is not None:
            # The next reading begins anew: a card that was reset or put back has another handle.
            self.close()
        if readings:
            return Data(readings, "; ".join(silent))
        if broken is not None:
            return Failed("; ".join(silent), _REMEDIES.get(broken.code, f"try nvidia-smi, or {_SWITCH_OFF}"))
        return Absent("; ".join(silent) or "the NVIDIA driver sees no card")

    def close(self) -> None:
        if self._nvml is not None:
            self._nvml.nvmlShutdown()
            self._nvml = None

    def _open(self) -> None:
        if self._nvml is None:
            import ctypes  # noqa: PLC0415  # a host without such a card need not carry it

            nvml = ctypes.CDLL(self._library)
            if code := nvml.nvmlInit_v2():
                raise _Refused(code)
            self._nvml = nvml

    def _count(self) -> int:
        import ctypes  # noqa: PLC0415  # as above

        count = ctypes.c_uint()
        _check(self._nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)))
        return count.value

    def _card(self, index: int) -> RawReading | None:
        """The counter of a card, else its watts; None where it has neither."""
        import ctypes  # noqa: PLC0415  # as above

        nvml, card = self._nvml, ctypes.c_void_p()
        _check(nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(card)))
        text = ctypes.create_string_buffer(_TEXT_BYTES)
        _check(nvml.nvmlDeviceGetUUID(card, text, ctypes.c_uint(_TEXT_BYTES)))
        name = f"{NAME}/{text.value.decode(errors='replace')}"
        millijoules = ctypes.c_ulonglong()
        code = nvml.nvmlDeviceGetTotalEnergyConsumption(card, ctypes.byref(millijoules))
        if code == _SUCCESS and 0 < millijoules.value < 2**63 // 1000:
            return RawReading(
                f"{name}/energy", "counter", "gpu", millijoules.value * 1000, highest_watts=HIGHEST_CARD_WATTS
            )
        if code not in (_SUCCESS, _NOT_SUPPORTED, _NO_PERMISSION):
            raise _Refused(code)
        milliwatts = ctypes.c_uint()
        code = nvml.nvmlDeviceGetPowerUsage(card, ctypes.byref(milliwatts))
        if code == _NOT_SUPPORTED:
            return None
        _check(code)
        # All ones is the driver's "not known".
        known = milliwatts.value <= HIGHEST_CARD_WATTS * 1000
        return RawReading(name, "power", "gpu", milliwatts.value / 1000) if known else None


def _check(code: int) -> None:
    if code != _SUCCESS:
        raise _Refused(code)
