"""Where notifications are listened for, and where they come from."""

import ipaddress

from agent.errors import ConfigurationError
from agent.install.service import TRAP_PORT
from collector.snmp.address import split_port


def of_listen(text: str) -> tuple[str, int]:
    """Address and port of `0.0.0.0:162`, `[::]:162` or an address alone. Raises ConfigurationError.

    >>> of_listen("[::1]:1162"), of_listen("10.1.2.3")
    (('::1', 1162), ('10.1.2.3', 162))
    """
    host, port = split_port(text)
    number = int(port) if port.isascii() and port.isdigit() else TRAP_PORT if not port else -1
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        address = ""
    if not address or not 0 <= number < 65536:
        raise ConfigurationError(
            f"snmp_trap_listen: {text!r} is no address and port of this machine such as 0.0.0.0:162 or [::]:162"
        )
    return address, number


def plain_address(address: str) -> str:
    """An address as it is written of a device: IPv4 not as IPv6 holds it, IPv6 in its shortest form.

    >>> plain_address("::ffff:10.1.2.3"), plain_address("2001:DB8:0::7")
    ('10.1.2.3', '2001:db8::7')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
