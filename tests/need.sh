#!/bin/sh
# What the tests use besides Python: installed when we may, named when we may not.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v xmlsec1 >/dev/null 2>&1 || missing="$missing xmlsec1"
command -v pdftotext >/dev/null 2>&1 || missing="$missing poppler-utils"
command -v qpdf >/dev/null 2>&1 || missing="$missing qpdf"
command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
command -v softhsm2-util >/dev/null 2>&1 || missing="$missing softhsm2"
command -v npm >/dev/null 2>&1 || missing="$missing nodejs npm"
if [ -z "$missing" ]; then
  :
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing$missing"
  apt-get update -qq
  # shellcheck disable=SC2086 - several words on purpose
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "The tests need$missing: install them with your system's package manager, then run make test again." >&2
  exit 2
fi
# Other people's clients, as their lock file says; no script of theirs is run.
clients=$(dirname "$0")/clients
installed=$clients/node_modules/.package-lock.json
if [ ! -f "$installed" ] || [ "$clients/package-lock.json" -nt "$installed" ]; then
  npm ci --prefix "$clients" --ignore-scripts --no-audit --no-fund --silent
fi
