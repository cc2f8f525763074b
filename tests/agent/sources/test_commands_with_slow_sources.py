"""`ictagent doctor` and `ictagent sample` on a host with a management controller and a UPS: real processes and servers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.agent.sources.redfish_trees import environment, service
from tests.servers.authority import certificates
from tests.servers.redfish import PASSWORD, USER, redfish
from tests.servers.upsd import upsd

REPOSITORY = Path(__file__).parents[3]


def ictagent(*arguments: str, **settings: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "agent", *arguments, "--output", "json"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ICTAGENT_")}
    environment_ = {**kept, **{f"ICTAGENT_{name}": value for name, value in settings.items()}}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment_, capture_output=True, text=True, timeout=60, check=False
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_controller_and_a_ups_show_at_once_and_no_session_is_left_behind(tmp_path: Path) -> None:
    ca, chain, key = certificates(tmp_path / "tls")
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    tree = service("1")
    environment(tree, "1", 231)
    ups = {"ups.status": "OL", "ups.load": "13", "ups.realpower.nominal": "540"}
    with redfish(tree, chain, key) as bmc, upsd(tmp_path / "nut", {"rack": ups}) as server:
        settings = {
            "REDFISH_URL": bmc.url,
            "REDFISH_USER": USER,
            "REDFISH_PASSWORD_FILE": str(tmp_path / "password"),
            "REDFISH_CA": str(ca),
            "NUT_ADDRESS": f"127.0.0.1:{server.port}",
            "STATE_DIRECTORY": str(tmp_path / "state"),
        }
        checks = {one["subject"]: one["finding"] for one in ictagent("doctor", **settings)["checks"]}
        sample = ictagent("sample", "--interval", "0.2", **settings)
        off = ictagent("sample", "--interval", "0.2", **settings, DISABLED_SOURCES="redfish,nut")
        assert bmc.tokens == {}
    assert checks["source redfish"] == "gives data"
    assert checks["source nut"] == "gives data, but rack: estimated from its load and its nominal 540 W"
    assert checks["power comes from"] == "a meter of the whole machine (redfish/1)"
    assert "nut_ups_feeds_only_this_host" in checks["not from nut"]
    watts = {sample["meters"][one[0]][0]: one[3][0] for one in sample["readings"]}
    assert watts["redfish/1"] == 231
    assert round(watts["nut/rack/load"], 6) == 70.2
    assert sample["choice"]["meters"] == ["redfish/1"]
    outcomes = {state["source"]: state["outcome"] for state in off["sources"]}
    assert (outcomes["redfish"], outcomes["nut"]) == ("off", "off")
