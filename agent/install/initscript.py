"""A service for Linux without systemd: a script for OpenRC (supervised), or for System V init.

The unit's fences (system calls, namespaces) have no counterpart there: the user, the capabilities and the limits are
kept, the rest is not, and docs/install.md says so.
"""

import shlex
from pathlib import PurePosixPath

from agent.install.service import EXIT_CONFIGURATION, Service

SCRIPTS = PurePosixPath("/etc/init.d")


def script_path(service: Service) -> PurePosixPath:
    return SCRIPTS / service.name


def openrc_script(service: Service) -> str:
    """For OpenRC, with its supervise-daemon."""
    user = service.user
    groups = "".join(f",{one}" for one in sorted(service.needs.groups))
    program, arguments = service.command[0], shlex.join(service.command[1:])
    capabilities = ",".join(f"^{one.lower()}" for one in sorted(service.needs.capabilities))
    lines = [
        "#!/sbin/openrc-run",
        "# Written by `ictagent`; `ictagent upgrade` writes it anew.",
        f"description={shlex.quote(service.title)}",
        "supervisor=supervise-daemon",
        f"command={shlex.quote(program)}",
        f"command_args={shlex.quote(arguments)}",
        f"command_user={shlex.quote(f'{user}:{user}{groups}')}",
        *([f"capabilities={shlex.quote(capabilities)}"] if capabilities else []),
        "umask=0077",
        "no_new_privs=yes",
        "respawn_delay=10",
        "respawn_max=0",
        f"error_logger={shlex.quote(f'logger -t {service.name}')}",
        "extra_started_commands=reload",
        "",
        "depend() {",
        "    need localmount",
        "    use net dns logger ntp-client",
        "}",
        "",
        "start_pre() {",
        f"    checkpath --directory --mode 0700 --owner {user}:{user} {shlex.quote(str(service.state_directory))}",
        "}",
        "",
        "reload() {",
        '    ebegin "Reading the log level again"',
        '    supervise-daemon "${RC_SVCNAME}" --signal HUP',
        "    eend $?",
        "}",
        "",
    ]
    return "\n".join(lines)


def sysv_script(service: Service) -> str:
    """For System V init, in POSIX shell: a loop starts the program again, but for a wrong configuration."""
    drop = ["setpriv", f"--reuid={service.user}", f"--regid={service.user}"]
    groups = ",".join(sorted(service.needs.groups))
    drop.append(f"--groups={groups}" if groups else "--clear-groups")
    if service.needs.capabilities:
        wanted = ",".join(f"+{one.removeprefix('CAP_').lower()}" for one in sorted(service.needs.capabilities))
        drop += [f"--inh-caps={wanted}", f"--ambient-caps={wanted}"]
    drop.append("--no-new-privs")
    values = {
        "@name@": service.name,
        "@title@": service.title,
        "@program@": shlex.join([*drop, *service.command]),
        "@state@": shlex.quote(str(service.state_directory)),
        "@owner@": f"{service.user}:{service.user}",
        "@configuration@": str(EXIT_CONFIGURATION),
    }
    text = _SYSV
    for name, value in values.items():
        text = text.replace(name, value)
    return text


_SYSV = """#!/bin/sh
# Written by `ictagent`; `ictagent upgrade` writes it anew.
### BEGIN INIT INFO
# Provides:          @name@
# Required-Start:    $local_fs $network $remote_fs
# Required-Stop:     $local_fs $network $remote_fs
# Should-Start:      $time $named $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: @title@
### END INIT INFO

supervisor=/run/@name@.supervisor.pid
child=/run/@name@.pid

running() {
    [ -s "$supervisor" ] && kill -0 "$(cat "$supervisor")" 2>/dev/null
}

supervise() {
    umask 077
    trap 'stopped=1; [ -s "$child" ] && kill "$(cat "$child")" 2>/dev/null' TERM
    while [ -z "$stopped" ]; do
        @program@ &
        echo $! >"$child"
        wait $!
        status=$?
        # A signal to this shell ends `wait` early: the program is given its time.
        while kill -0 "$(cat "$child")" 2>/dev/null; do sleep 1; done
        [ "$status" -eq 0 ] && break
        # A wrong configuration does not become right by starting again.
        [ "$status" -eq @configuration@ ] && break
        [ -n "$stopped" ] || sleep 10
    done
    rm -f "$child" "$supervisor"
}

start() {
    if running; then echo "@name@ is running"; return 0; fi
    mkdir -p @state@ && chown @owner@ @state@ && chmod 0700 @state@ || return 1
    # In a session of its own, so that it outlives the shell that started it; it writes its own number down.
    setsid sh -c '"$1" supervise </dev/null 2>&1 | logger -t @name@' sh "$0" >/dev/null 2>&1 &
    waited=0
    until running || [ "$waited" -ge 10 ]; do sleep 1; waited=$((waited + 1)); done
    running
}

stop() {
    running || { echo "@name@ is not running"; return 0; }
    kill "$(cat "$supervisor")"
    waited=0
    while running && [ "$waited" -lt 30 ]; do sleep 1; waited=$((waited + 1)); done
    running && kill -9 "$(cat "$child")" "$(cat "$supervisor")" 2>/dev/null
    rm -f "$child" "$supervisor"
    return 0
}

case "$1" in
    start) start ;;
    stop) stop ;;
    restart | force-reload) stop; start ;;
    reload) running && kill -HUP "$(cat "$child")" ;;
    status) if running; then echo "@name@ is running"; else echo "@name@ is not running"; exit 3; fi ;;
    supervise) echo $$ >"$supervisor"; supervise ;;
    *) echo "usage: $0 start|stop|restart|reload|status" >&2; exit 2 ;;
esac
"""
