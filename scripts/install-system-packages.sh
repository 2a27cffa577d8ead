#!/usr/bin/env bash
# Installs what the tests need from Debian's packages, when it is missing and we may.
set -euo pipefail

need=()
command -v g++ >/dev/null || need+=(g++)
# The sanitisers' run-time libraries come with g++ on Debian; Chromium opens the HTML reports.
command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
  || command -v google-chrome >/dev/null || need+=(chromium fonts-dejavu-core)
# Of PostgreSQL the tests need the programs alone: they start a server of their own.
command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null \
  || need+=(postgresql)
[ ${#need[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    echo "make test needs ${need[*]}: install them, for instance with 'apt-get install ${need[*]}'" >&2
    exit 1
  fi
fi
if ! command -v apt-get >/dev/null; then
  echo "make test needs ${need[*]}: install them with your system's package manager" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
