#!/usr/bin/env bash
# Installs what the tests need from Debian, when it is missing. Usage: system.sh PACKAGE-SET...
# Sets: postgresql, knot, bind, openssl, strace, curl, wrk, gnutls, java, cfssl. Starts and enables nothing: tests run these programs themselves.
set -euo pipefail

declare -A packages=(
    [postgresql]="postgresql-15"
    [knot]="knot knot-dnsutils"
    [bind]="bind9 bind9-dnsutils"
    [openssl]="openssl"
    [strace]="strace"
    [curl]="curl"
    [wrk]="wrk"
    [gnutls]="gnutls-bin"
    [java]="openjdk-17-jdk-headless"
    [cfssl]="golang-cfssl"
)
declare -A proof=(
    [postgresql]=/usr/lib/postgresql/15/bin/initdb
    [knot]=/usr/sbin/knotd
    [bind]=/usr/sbin/named
    [openssl]=/usr/bin/openssl
    [strace]=/usr/bin/strace
    [curl]=/usr/bin/curl
    [wrk]=/usr/bin/wrk
    [gnutls]=/usr/bin/certtool
    [java]=/usr/bin/javac
    [cfssl]=/usr/bin/cfssl
)

missing=()
for name in "$@"; do
    if [ -z "${packages[$name]:-}" ]; then
        echo "system.sh: no package set is called '$name'; there are: ${!packages[*]}" >&2
        exit 2
    fi
    [ -x "${proof[$name]}" ] || missing+=(${packages[$name]})
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "system.sh: the tests need Debian's ${missing[*]}: run as root: apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "system.sh: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive

# Debian's packages start their servers when installed; a policy of 101 says no, and goes again afterwards.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
# Nor does PostgreSQL need the cluster that its package would make.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
fi

exec 9>/var/lock/keystead-system.lock
flock 9
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
