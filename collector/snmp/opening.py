"""Which library asks a device."""

import importlib.util
from typing import Literal

from agent.errors import ConfigurationError
from collector.snmp.client import Credential, Endpoint, SnmpClient

Library = Literal["", "gufo", "pysnmp"]


def open_client(endpoint: Endpoint, credential: Credential, library: Library = "") -> SnmpClient:
    """A client of one device; nothing is sent yet. Without `library`: gufo where it is, for its speed.

    Raises ConfigurationError where the extra `snmp` is not installed.
    """
    # gufo knows neither v3's contexts nor IPv6 addresses with a zone.
    can_gufo = not credential.context and "%" not in endpoint.host
    if library != "pysnmp" and can_gufo and importlib.util.find_spec("gufo") is not None:
        from collector.snmp.gufo_client import GufoClient  # noqa: PLC0415  # it may not be installed

        return GufoClient(endpoint, credential)
    try:
        from collector.snmp.pysnmp_client import PysnmpClient  # noqa: PLC0415  # it may not be installed
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"SNMP needs {error.name}: install ictagent[snmp]") from error
    return PysnmpClient(endpoint, credential)
