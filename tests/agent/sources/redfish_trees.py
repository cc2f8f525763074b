"""Trees of a Redfish service, written after the DMTF schemas (DSP0266, DSP2046)."""

from typing import Any

from tests.servers.redfish import Tree

UUID = "4c4c4544-0042-3510-8052-b4c04f564433"


def ref(path: str) -> dict[str, str]:
    return {"@odata.id": path}


def service(*chassis: str, systems: dict[str, dict[str, Any]] | None = None) -> Tree:
    """A service root with collections of these chassis and systems."""
    found = (
        systems
        if systems is not None
        else {"1": {"UUID": UUID, "Links": {"Chassis": [ref(f"/redfish/v1/Chassis/{chassis[0]}")]}}}
    )
    tree: Tree = {
        "/redfish/v1": {
            "@odata.type": "#ServiceRoot.v1_16_0.ServiceRoot",
            "Chassis": ref("/redfish/v1/Chassis"),
            "Systems": ref("/redfish/v1/Systems"),
            "Links": {"Sessions": ref("/redfish/v1/SessionService/Sessions")},
        },
        "/redfish/v1/Chassis": {"Members": [ref(f"/redfish/v1/Chassis/{name}") for name in chassis]},
        "/redfish/v1/Systems": {"Members": [ref(f"/redfish/v1/Systems/{name}") for name in found]},
    }
    for name, system in found.items():
        tree[f"/redfish/v1/Systems/{name}"] = {"Id": name, "SystemType": "Physical", **system}
    for name in chassis:
        tree[f"/redfish/v1/Chassis/{name}"] = {"Id": name, "ChassisType": "RackMount", "Links": {}}
    return tree


def environment(tree: Tree, chassis: str, watts: object, kwh: object = None) -> None:
    """EnvironmentMetrics.v1_3_0 of a chassis."""
    path = f"/redfish/v1/Chassis/{chassis}"
    tree[path]["EnvironmentMetrics"] = ref(f"{path}/EnvironmentMetrics")
    tree[f"{path}/EnvironmentMetrics"] = {
        "@odata.type": "#EnvironmentMetrics.v1_3_0.EnvironmentMetrics",
        "PowerWatts": {"DataSourceUri": f"{path}/Sensors/TotalPower", "Reading": watts},
        "EnergykWh": {"Reading": kwh},
    }


def supplies(tree: Tree, chassis: str, *readings: dict[str, Any]) -> None:
    """PowerSubsystem.v1_1_0 with a supply for each of `readings`: its metrics' excerpts, and its state."""
    path = f"/redfish/v1/Chassis/{chassis}"
    base = f"{path}/PowerSubsystem/PowerSupplies"
    tree[path]["PowerSubsystem"] = ref(f"{path}/PowerSubsystem")
    tree[f"{path}/PowerSubsystem"] = {"PowerSupplies": ref(base)}
    tree[base] = {"Members": [ref(f"{base}/Bay{number}") for number in range(len(readings))]}
    for number, one in enumerate(readings):
        metrics = {name: {"Reading": value} for name, value in one.items() if name != "State"}
        tree[f"{base}/Bay{number}"] = {
            "Metrics": ref(f"{base}/Bay{number}/Metrics"),
            "Status": {"State": one.get("State", "Enabled")},
        }
        tree[f"{base}/Bay{number}/Metrics"] = metrics


def legacy(tree: Tree, chassis: str, **power: Any) -> None:
    """The deprecated Power resource."""
    path = f"/redfish/v1/Chassis/{chassis}"
    tree[path]["Power"] = ref(f"{path}/Power")
    tree[f"{path}/Power"] = {"@odata.type": "#Power.v1_7_0.Power", **power}
