#!/usr/bin/env bash
# Installs Debian packages that tests start for themselves. Usage: system.sh PACKAGE...
# A package whose program is there costs nothing; packages start no service of their own.
set -euo pipefail

program_of() {
    case $1 in
        knot) echo /usr/sbin/knotd ;;
        bind9) echo /usr/sbin/named ;;
        postgresql) echo /usr/lib/postgresql/15/bin/initdb ;;
        strace | openssl | curl) echo "/usr/bin/$1" ;;
        *) echo "system.sh: $1 is no package that the tests use" >&2; return 1 ;;
    esac
}

missing=()
for package in "$@"; do
    program=$(program_of "$package")
    [ -x "$program" ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null || { echo "system.sh: as root, run: apt-get install ${missing[*]}" >&2; exit 1; }
    exec sudo bash "$0" "$@"
fi

echo "installing from Debian: ${missing[*]}"
# Asked by every package before it starts its service; 101 forbids (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' > $policy
    chmod 755 $policy
    trap 'rm -f $policy' EXIT
fi
case " ${missing[*]} " in
    *" postgresql "*) # the tests make their own clusters
        mkdir -p /etc/postgresql-common/createcluster.d
        echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/keystead.conf
        ;;
esac
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
