"""Other agents at the same work: a sample every ten seconds of processors, memory, file systems, disks, network."""

import contextlib
import socket
from pathlib import Path

COLLECTD_PLUGINS = ("cpu", "load", "memory", "swap", "df", "disk", "interface", "uptime", "processes", "thermal")


def collectd(directory: Path, port: int) -> list[str]:
    """collectd in the foreground: ten seconds, what Debian's default measures, its network protocol to loopback."""
    types = "/usr/share/collectd/types.db"
    lines = [f'BaseDir "{directory}"', f'PIDFile "{directory}/collectd.pid"', f'TypesDB "{types}"', "Interval 10"]
    lines += [f"LoadPlugin {plugin}" for plugin in (*COLLECTD_PLUGINS, "network")]
    lines += ["<Plugin network>", f'  Server "127.0.0.1" "{port}"', "</Plugin>", ""]
    configuration = directory / "collectd.conf"
    configuration.write_text("\n".join(lines), encoding="ascii")
    return ["collectd", "-f", "-C", str(configuration)]


def _low_port() -> int:
    """A free loopback port that Zabbix takes: up to 32767, below those that the kernel gives out."""
    for port in range(20050, 32768):
        with contextlib.suppress(OSError), socket.socket() as one:
            one.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port between 20050 and 32767")


def zabbix_agent2(directory: Path, server_port: int) -> list[str]:
    """Zabbix's agent in the foreground, active: it asks the server for its items and sends what they gave."""
    settings = {
        "LogType": "console",
        "PidFile": directory / "zabbix.pid",
        "Server": "127.0.0.1",
        "ServerActive": f"127.0.0.1:{server_port}",
        "ListenIP": "127.0.0.1",
        "ListenPort": _low_port(),
        "Hostname": "benchmark",
        "ControlSocket": directory / "zabbix.sock",
        "PluginSocket": directory / "zabbix-plugin.sock",
    }
    configuration = directory / "zabbix_agent2.conf"
    configuration.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="ascii")
    return ["zabbix_agent2", "-f", "-c", str(configuration)]
