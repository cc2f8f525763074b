#!/bin/sh
# After the files went. Only dpkg knows a purge, which deletes what `ictagent uninstall --purge` would list: settings,
# data and users. rpm has none: there, `ictagent uninstall --purge` before the removal does it.
set -e
package=@PACKAGE@

[ "$1" = purge ] || exit 0
# The other package is here and uses the same settings, data and users.
[ ! -e /usr/lib/ictagent/ictagent ] || exit 0

# $1 a system user that `ictagent install` made, its group with it.
remove_user() {
    if getent passwd "$1" >/dev/null; then
        userdel "$1" || echo "ictagent: the user $1 could not be removed" >&2
    fi
    if getent group "$1" >/dev/null; then
        groupdel "$1" || echo "ictagent: the group $1 could not be removed" >&2
    fi
}

rm -f /etc/ictagent/agent.toml /etc/ictagent/key /etc/ictagent/ca.pem
rm -rf /var/lib/ictagent
remove_user ictagent
if [ "$package" = ictagent-collector ]; then
    rm -f /etc/ictagent/collector.toml
    rm -rf /var/lib/ictagent-collector
    remove_user ictagent-collector
fi
# What somebody else put there stays.
if [ -d /etc/ictagent ]; then
    rmdir --ignore-fail-on-non-empty /etc/ictagent
fi
exit 0
