"""InfluxDB 1.6.7 from Debian behind nginx, which offers the v2 write path, checks a token, and bounds bodies."""

import http.client
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.servers.process import free_port, listening, stop, tail, wait_until

TOKEN = "a-token-that-works"


def missing_program() -> str:
    """The program that is not installed, or nothing."""
    return next((name for name in ("influxd", "nginx") if shutil.which(name) is None), "")


class Influxd:
    """A server that a test can stop, start, and give or take the token of."""

    def __init__(self, directory: Path, largest_body: str = "25m") -> None:
        self._directory = directory
        self._largest_body = largest_body
        self._influx_port, self.port = free_port(), free_port()
        self._influxd: subprocess.Popen[bytes] | None = None
        self._nginx: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self.port}"
        self.token_file = directory / "token"
        self.token_file.write_text(TOKEN)

    def start(self) -> None:
        """Start both servers and wait until they answer."""
        configuration = self._directory / "influxd.conf"
        configuration.write_text(_INFLUXD.format(d=self._directory, port=self._influx_port, rpc=free_port()))
        log = (self._directory / "influxd.log").open("ab")
        self._influxd = subprocess.Popen(["influxd", "-config", str(configuration)], stdout=log, stderr=log)
        wait_until(lambda: listening(self._influx_port), f"influxd: {tail(self._directory / 'influxd.log')}")
        self._start_nginx(TOKEN)

    def stop(self) -> None:
        for process in (self._nginx, self._influxd):
            if process is not None:
                stop(process)
        self._nginx = self._influxd = None

    def revoke_token(self) -> None:
        """From now on nginx answers 401 to the token."""
        self._restart_nginx("another-token-entirely")

    def restore_token(self) -> None:
        self._restart_nginx(TOKEN)

    @property
    def pid(self) -> int:
        assert self._influxd is not None
        return self._influxd.pid

    def command(self, statement: str) -> Any:
        """Run InfluxQL that changes something."""
        return self._request("POST", "/query?" + urlencode({"q": statement}))

    def query(self, database: str, statement: str) -> list[dict[str, Any]]:
        """Series of an InfluxQL query: name, tags, columns, values; times in nanoseconds."""
        answer = self._request("GET", "/query?" + urlencode({"db": database, "q": statement, "epoch": "ns"}))
        series: list[dict[str, Any]] = answer["results"][0].get("series", [])
        return series

    def _request(self, method: str, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._influx_port, timeout=30)
        connection.request(method, path)
        body = connection.getresponse().read()
        connection.close()
        return json.loads(body)

    def _restart_nginx(self, token: str) -> None:
        assert self._nginx is not None
        stop(self._nginx)
        self._start_nginx(token)

    def _start_nginx(self, token: str) -> None:
        configuration = self._directory / "nginx.conf"
        values = {
            "d": self._directory,
            "port": self.port,
            "influx": self._influx_port,
            "token": token,
            "size": self._largest_body,
            "user": "user root;" if os.geteuid() == 0 else "",
        }
        configuration.write_text(_NGINX.format(**values))
        log = self._directory / "nginx.log"
        command = ["nginx", "-e", str(log), "-p", str(self._directory), "-c", str(configuration)]
        self._nginx = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: listening(self.port), f"nginx: {tail(log)}")


@contextmanager
def influxd(directory: Path, largest_body: str = "25m") -> Iterator[Influxd]:
    """A running server with the database `ictagent`."""
    directory.mkdir(parents=True, exist_ok=True)
    server = Influxd(directory, largest_body)
    server.start()
    try:
        server.command("CREATE DATABASE ictagent")
        yield server
    finally:
        server.stop()


_INFLUXD = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{d}/meta"
[data]
  dir = "{d}/data"
  wal-dir = "{d}/wal"
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
"""

_NGINX = """
{user}
daemon off;
worker_processes 1;
pid {d}/nginx.pid;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_max_body_size {size};
  client_body_temp_path {d}/body; proxy_temp_path {d}/proxy; fastcgi_temp_path {d}/fastcgi;
  uwsgi_temp_path {d}/uwsgi; scgi_temp_path {d}/scgi;
  map $http_authorization $known {{ default 0; "Token {token}" 1; }}
  server {{
    listen 127.0.0.1:{port};
    location /api/v2/write {{
      if ($known = 0) {{ return 401; }}
      rewrite ^ /write?db=$arg_bucket&precision=$arg_precision? break;
      proxy_pass http://127.0.0.1:{influx};
    }}
    location / {{ proxy_pass http://127.0.0.1:{influx}; }}
  }}
}}
"""
