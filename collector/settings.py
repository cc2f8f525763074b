"""Settings of the collector, from the section `[collector]` of the same files as the agent's."""

from dataclasses import dataclass, field
from pathlib import Path

from agent.settings import setting


def default_state_directory() -> Path:
    return Path("/var/lib/ictagent-collector")


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """What `ictagent collector run` needs to know."""

    listen: str = setting("127.0.0.1:8420", "address and port of the pages, the API and the agents' reports")
    state_directory: Path = field(
        default_factory=default_state_directory,
        metadata={"description": "where the embedded store, and the database unless it is PostgreSQL, are kept"},
    )
    database: str = setting("", "PostgreSQL URL; empty: SQLite in the state directory")
    tls: str = setting(
        "", "`own`: an authority and a certificate that the collector makes for itself; empty: the files"
    )
    server_names: tuple[str, ...] = setting(
        (), "names and addresses by which hosts reach it, for its own certificate; empty: this machine's names"
    )
    certificate_file: str = setting("", "TLS certificate chain (PEM); every address but loopback needs it or tls = own")
    certificate_key_file: str = setting("", "its private key (PEM)")
    key_days: int = setting(365, "days for which a host's key holds; agents renew it in time by themselves")
    enrolments_per_minute: int = setting(300, "enrolments taken in a minute from one address, and with one token")
    public_url: str = setting("", "address by which browsers reach the pages, such as https://ictagent.example")
    trusted_proxies: tuple[str, ...] = setting(
        (), "addresses or networks of proxies in front, whose X-Forwarded-For tells who asks"
    )
    read_token_file: str = setting("", "file with a token that reads as a viewer of every organisation")
    session_idle_minutes: int = setting(60, "minutes without use after which a login ends")
    session_hours: int = setting(12, "hours after which a login ends, used or not")
    oidc_issuer: str = setting("", "OpenID provider, such as https://login.microsoftonline.com/TENANT/v2.0")
    oidc_client_id: str = setting("", "this collector's id at the OpenID provider")
    oidc_client_secret_file: str = setting("", "file with its secret there")
    oidc_scopes: str = setting("openid profile email", "what is asked of the provider")
    oidc_groups_claim: str = setting("groups", "claim of the identity token that holds groups; `roles` for app roles")
    oidc_name_claim: str = setting("preferred_username", "claim that holds the name to show")
    oidc_group_roles: tuple[str, ...] = setting(
        (), "who may come in: GROUP=ROLE, or GROUP=ROLE@ORGANISATION to see that one alone"
    )
    oidc_ca: str = setting("system", "whom to trust for the provider's TLS: `system`, or a file (PEM)")
    oidc_proxy: str = setting("", "HTTP proxy to the provider, such as http://proxy.example:3128")
    snmp_credentials: str = setting(
        "",
        "directory with a file for each credential of polled devices, NAME.toml; empty: /etc/ictagent/snmp, and of a "
        "collector with a state directory of its own `snmp` in that",
    )
    snmp_networks: tuple[str, ...] = setting(
        (), "networks in which `ictagent snmp discover` may look for devices, such as 10.1.0.0/16"
    )
    snmp_trap_listen: tuple[str, ...] = setting(
        (), "addresses and ports where traps and informs of polled devices are heard, such as 0.0.0.0:162 or [::]:162"
    )
    snmp_link_events: bool = setting(False, "whether links that go up and down by a device's traps are kept as events")
    influx_url: str = setting("", "InfluxDB to write to; empty: the embedded store alone")
    influx_bucket: str = setting("ictagent", "bucket, on InfluxDB 1.x the database")
    influx_org: str = setting("-", "organisation, on InfluxDB 2.x")
    influx_token_file: str = setting("", "file with InfluxDB's token")
    influx_retention_days: float = setting(0.0, "age in days beyond which the bucket keeps nothing; 0: no limit known")
    grid_intensity: bool = setting(
        False, "whether NESO's Carbon Intensity API is asked for the grid's carbon by half-hour: it needs a way out"
    )
    grid_intensity_url: str = setting("https://api.carbonintensity.org.uk", "address of that API, or of a mirror of it")
    grid_intensity_proxy: str = setting("", "HTTP proxy to it, such as http://proxy.example:3128")
    log_level: str = setting("info", "debug, info, warning or error")


def credentials_directory(settings: CollectorSettings) -> Path:
    """Where the credentials of polled devices are."""
    if settings.snmp_credentials:
        return Path(settings.snmp_credentials)
    if settings.state_directory == default_state_directory():
        return Path("/etc/ictagent/snmp")
    return settings.state_directory / "snmp"
