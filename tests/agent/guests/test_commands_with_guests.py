"""`ictagent doctor` and the report of a host with guests."""

import json
import subprocess
import sys
from pathlib import Path

from tests.agent.guests.host import LIBVIRT_6, PROXMOX_8, init, process, usage


def test_doctor_and_sample_show_the_guests(tmp_path: Path) -> None:
    init(tmp_path)
    process(tmp_path, 300, [one.replace("4c4c4544", "5c5c4544") for one in LIBVIRT_6])
    process(tmp_path, 301, PROXMOX_8)
    usage(tmp_path, "lxc/101", 5)

    def ictagent(*words: str) -> str:
        command = [sys.executable, "-m", "agent", *words, "--root", str(tmp_path), "--output", "json"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    checks = {one["subject"]: one for one in json.loads(ictagent("doctor"))["checks"]}
    assert checks["source guests"]["result"] == "ok"
    assert checks["guests"]["finding"] == (
        "3: 101, files, web01; together 8 processors and 6.0 GiB of memory configured"
    )
    report = json.loads(ictagent("sample", "--interval", "0.2"))
    meters = {meter[0]: meter for meter in report["meters"] if meter[3] == "guest"}
    assert sorted(meters) == sorted(guest["meter"] for guest in report["guests"])
    assert len(meters) == 3
    assert not set(meters) & set(report["choice"]["meters"])
    assert {tuple(series[1].items()) for series in report["series"] if series[0] == "system_guest"} == {
        (("guest", name.removeprefix("guest/")),) for name in meters
    }
