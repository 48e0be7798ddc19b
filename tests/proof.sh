#!/usr/bin/env bash
# Everything that is too long for «make test»: every statement as a kill point, and days by many seeds.
set -euo pipefail
cd "$(dirname "$0")/.."
out=docs/proof.md
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
commit=$(git rev-parse --short HEAD 2>/dev/null || echo "no commit")

PROOF_EVERY_STATEMENT=1 PROOF_REPORT="$made/points" .venv/bin/pytest tests/faults
PROOF_CLIENTS=5000 .venv/bin/pytest tests/contract/test_*_clients.py
lived() {
  local said
  said=$(.venv/bin/thuphi day --payments 60 --seed "$1" --faults "$2" --json)
  echo "- \`--seed $1 --faults $2\`: \`$said\`" >> "$made/days"
}
for seed in 1 2 3 4 5; do lived "$seed" 0.1; done
for seed in $(seq 1 50); do lived "$seed" 0.5; done

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
  echo "## Whole days, \`thuphi day --payments 60\`"
  echo
  cat "$made/days"
} > "$made/proof.md"
mv "$made/proof.md" "$out"
