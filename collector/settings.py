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
    certificate_file: str = setting("", "TLS certificate chain (PEM); needed for every address but loopback")
    certificate_key_file: str = setting("", "its private key (PEM)")
    read_token_file: str = setting("", "file with the token that opens the pages and the reading API")
    influx_url: str = setting("", "InfluxDB to write to; empty: the embedded store alone")
    influx_bucket: str = setting("ictagent", "bucket, on InfluxDB 1.x the database")
    influx_org: str = setting("-", "organisation, on InfluxDB 2.x")
    influx_token_file: str = setting("", "file with InfluxDB's token")
    influx_retention_days: float = setting(0.0, "age in days beyond which the bucket keeps nothing; 0: no limit known")
    log_level: str = setting("info", "debug, info, warning or error")
