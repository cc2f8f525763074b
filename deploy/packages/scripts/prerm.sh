#!/bin/sh
# Before the files go. dpkg: "remove" (alone) for good, "remove in-favour ..." when the other package takes over, and
# "upgrade"; rpm: 0 for good, 1 upgrade. For good means: services stop, keys are revoked, units and keys are deleted.
# Settings and data stay, as after any removal.
set -e
package=@PACKAGE@

case "$1" in
    remove) [ "$2" != in-favour ] || exit 0 ;;
    0) ;;
    *) exit 0 ;;
esac
# rpm swaps packages by installing the one and then removing the other, without telling it.
if [ "$1" = 0 ] && [ -e "/usr/lib/ictagent/packages/@OTHER@" ]; then
    exit 0
fi

# $1 the service's name, the rest how its uninstall command is called.
uninstall() {
    service=$1
    shift
    if [ -e "/etc/systemd/system/$service.service" ] || [ -e "/etc/init.d/$service" ]; then
        "$@" && return 0
        # Chiefly a collector that does not answer: the host must be rid of the agent all the same.
        if [ "$service" = ictagent-agent ] && "$@" --keep-key; then
            echo "ictagent: the key was not revoked: \`ictagent collector device revoke\` does it at the collector" >&2
            return 0
        fi
        echo "ictagent: \`$*\` did not succeed; the service may still be there" >&2
    fi
}

uninstall ictagent-agent /usr/bin/ictagent uninstall --keep-settings
if [ "$package" = ictagent-collector ]; then
    uninstall ictagent-collector /usr/bin/ictagent collector uninstall --keep-settings
fi
exit 0
