#!/usr/bin/env bash
# Everything that is too long for «make test»: every statement as a kill point, and days by many seeds.
set -euo pipefail
cd "$(dirname "$0")/.."
out=docs/proof.md
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
commit=$(git rev-parse --short HEAD 2>/dev/null || echo "no commit")

PROOF_EVERY_STATEMENT=1 PROOF_REPORT="$made/points" .venv/bin/pytest -n 2 --dist worksteal tests/faults
PROOF_CLIENTS=5000 .venv/bin/pytest -n 2 --dist worksteal tests/contract/test_*_clients.py
PROOF_DAYS_MATCHED=1000 .venv/bin/pytest --timeout 3600 tests/property/test_matching.py
PROOF_TAMPERINGS=100000 PROOF_REPORT="$made/log" .venv/bin/pytest tests/property/test_log_tampering.py
# Two days at a time, as there are two cores; the first that does not hold stops it all.
lived() {
  local said
  said=$(.venv/bin/thuphi day --payments 60 --seed "$2" --faults "$1" --json) || { echo "$said" >&2; exit 255; }
  echo "- \`--seed $2 --faults $1\`: \`$said\`" >> "$made/days"
}
export made
export -f lived
printf '%s\n' 0.1\ {1..5} 0.5\ {1..50} | xargs -P 2 -L 1 bash -c 'lived "$@"' _

{
  echo "# What was proved, and when"
  echo
  echo "Written by \`make proof\` on $(date -u +%Y-%m-%d), at $commit, in $((SECONDS / 60)) minutes on $(nproc) cores; each line is a run that ended well."
  echo
  echo "## Killed at every point, and walked again"
  echo
  echo "At each point something is killed, then everything is started and said again: what was acknowledged is there, nothing is lost or doubled, every invariant holds, and the books are those of a walk that nothing disturbed. \`pay\` goes from the request to the stamped events; \`webhooks\` delivers to an endpoint that refuses once, and hears everything in order; \`close\` imports three files, reconciles, books and closes the day."
  echo
  sort "$made/points"
  echo
  echo "## Other people's clients"
  echo
  echo "- Notices, orders and refunds made by them, 5,000 true and 5,000 false of each kind: none wrongly believed, none wrongly refused."
  echo
  echo "## Invented days, matched"
  echo
  echo "- 1,000 days of random captures, shares, lines and reports: each line is a match or a break, no capture is claimed twice, and 333 of them in another order give the same bytes."
  echo
  echo "## Receipts tampered with, measured against an exported checkpoint"
  echo
  echo "Each time somebody with every key of ours tampers with one receipt, writes the whole log anew and signs it; any receipt, any bit, any size of the export."
  echo
  cat "$made/log"
  echo
  echo "## Whole days, \`thuphi day --payments 60\`"
  echo
  sort -V "$made/days"
} > "$made/proof.md"
mv "$made/proof.md" "$out"
