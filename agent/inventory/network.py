"""Network cards from `/sys/class/net`: physical ones; where a guest has none, those that carry its traffic."""

from pathlib import Path

from agent.files import is_directory, names_in, number_or_none, text_or_empty, there
from agent.report import NetworkCard

_VIRTUAL = (
    "lo",
    "veth",
    "docker",
    "br-",
    "virbr",
    "tap",
    "tun",
    "cni",
    "flannel",
    "cali",
    "dummy",
    "ifb",
    "sit",
    "gre",
)
_BITS_A_MEGABIT = 1_000_000


def card_names(root: Path) -> list[str]:
    """Cards with a device behind them; without any, whatever is neither loopback nor made for guests."""
    tree = root / "sys/class/net"
    names = names_in(tree)
    physical = [name for name in names if there(tree / name / "device")]
    if physical:
        return physical
    return [name for name in names if not name.startswith(_VIRTUAL) and is_directory(tree / name)]


def read_network_cards(root: Path) -> list[NetworkCard]:
    """Each card with its address, speed where a link is up, and driver."""
    cards = []
    for name in card_names(root):
        tree = root / "sys/class/net" / name
        megabits = number_or_none(tree / "speed") or 0
        driver = tree / "device/driver"
        cards.append(
            NetworkCard(
                name=name,
                mac_address=text_or_empty(tree / "address"),
                speed_bits_per_second=megabits * _BITS_A_MEGABIT if megabits > 0 else None,
                driver=driver.resolve().name if driver.is_symlink() else "",
            )
        )
    return cards
