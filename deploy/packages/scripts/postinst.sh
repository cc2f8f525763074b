#!/bin/sh
# After unpacking. dpkg: "configure" (and words of its own where it takes a step back); rpm: 1 first install, 2 upgrade.
# Nothing is enrolled here: `ictagent install` does that. A service that is installed already gets this release's unit
# and, where it runs, is started again; `ictagent upgrade` sees to both.
set -e

case "$1" in
    configure | abort-remove | abort-upgrade | [1-9]*) ;;
    *) exit 0 ;;
esac

for service in ictagent-agent ictagent-collector; do
    if [ -e "/etc/systemd/system/$service.service" ] || [ -e "/etc/init.d/$service" ]; then
        # A service that does not come up is for its operator to see, and no reason to leave the package half installed.
        /usr/bin/ictagent upgrade || echo "ictagent: \`ictagent upgrade\` did not succeed; run it again" >&2
        break
    fi
done
exit 0
