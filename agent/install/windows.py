"""A service for Windows: a scheduled task at start-up under LocalService. Generated and tested as a file; not run for real.

The elements are those of the Task Scheduler schema (MS-TSCH 2.5, namespace below), in the order that Windows exports.
"""

import subprocess
from pathlib import PureWindowsPath
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from agent.install.service import Service

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
LOCAL_SERVICE = "S-1-5-19"
"""The well-known identity of NT AUTHORITY\\LOCAL SERVICE: no password, least rights, nobody on the network."""
TASKS = PureWindowsPath(r"C:\ProgramData\ictagent")


def task_path(service: Service) -> PureWindowsPath:
    """Where the task's description is kept; `schtasks /Create /XML` reads it."""
    return TASKS / f"{service.name}.xml"


def task_xml(service: Service) -> bytes:
    """The task in UTF-16, as schtasks wants it."""
    task = Element("Task", {"version": "1.2", "xmlns": NAMESPACE})
    _add(task, "RegistrationInfo", Description=service.title, URI=f"\\{service.name}")
    _add(SubElement(task, "Triggers"), "BootTrigger", Enabled="true")
    principal = _add(SubElement(task, "Principals"), "Principal", UserId=LOCAL_SERVICE, RunLevel="LeastPrivilege")
    principal.set("id", "Author")
    settings = _add(
        task,
        "Settings",
        MultipleInstancesPolicy="IgnoreNew",
        DisallowStartIfOnBatteries="false",
        StopIfGoingOnBatteries="false",
        AllowHardTerminate="true",
        StartWhenAvailable="true",
        RunOnlyIfNetworkAvailable="false",
        Enabled="true",
        Hidden="false",
        ExecutionTimeLimit="PT0S",
        Priority="7",
    )
    # A task cannot tell one exit status from another: a wrong configuration is tried again as well.
    _add(settings, "RestartOnFailure", Interval="PT1M", Count="999")
    actions = SubElement(task, "Actions", {"Context": "Author"})
    _add(actions, "Exec", Command=service.command[0], Arguments=subprocess.list2cmdline(service.command[1:]))
    indent(task)
    text = tostring(task, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-16"?>\n{text}\n'.encode("utf-16")


def _add(parent: Element, name: str, **texts: str) -> Element:
    """An element with one child a text."""
    one = SubElement(parent, name)
    for child, text in texts.items():
        SubElement(one, child).text = text
    return one
