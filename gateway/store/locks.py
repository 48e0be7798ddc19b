"""The locks that go by a name, and the one order in which every lock is taken.

Whoever takes several takes them down this list and never goes back up, so nobody waits in a circle:

1. ``RUN``, ``REQUEST`` or ``DISPUTE``: one reconciliation of an agency, or one agreement about its
   breaks; one idempotency key of a client; one dispute of a provider;
2. ``POSTING`` or ``CLOSING``: an agency's days, shared by all who post, alone by who closes. Who
   may post asks for them before any row is locked: a payment that is held by somebody who waits
   for the day would stop the close that has it;
3. shifts and their differences;
4. ``MONEY``: one transaction number, then one bank movement, whoever reports it;
5. requests to erase, attempts, refunds;
6. ``SERIES`` or ``LOG`` (an agency's transparency log, which grows by one at a time), then series
   and receipts by their name;
7. payments, by id where there are several;
8. cases (``break``);
9. ``CASES``: the chain of what an agency's people did about them, which grows by one at a time.

Attempts and payments are locked FOR NO KEY UPDATE: a key never changes, so a new row that points
to them need not wait. What is claimed with SKIP LOCKED waits for nobody and stands outside, as do
the locks that are taken alone.
"""

from typing import Final

from sqlalchemy import text

# Numbers keep the names apart; 7413001 is the migrations' (migrate.py).
CLOSING: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:agency, 7413002))")
POSTING: Final = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:agency, 7413002))")
REQUEST: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 7413003))")
MONEY: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 7413004))")
# The day, then one money or two, in one round trip: a list of results is worked out from the left.
DAY_AND_MONEY: Final = (
    text(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended(:agency, 7413002)),"
        " pg_advisory_xact_lock(hashtextextended(:key, 7413004))"
    ),
    text(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended(:agency, 7413002)),"
        " pg_advisory_xact_lock(hashtextextended(:key, 7413004)),"
        " pg_advisory_xact_lock(hashtextextended(:alike, 7413004))"
    ),
)
DISPUTE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 7413008))")
RUN: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:agency, 7413006))")
SERIES: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:agency, 7413007))")
LOG: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:agency, 7413013))")
CASES: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:agency, 7413014))")

# Taken alone: who makes a key or partitions, or tries to sign in from one place; who stamps or
# judges, or leaves it to whoever does.
STAMPING: Final = text("SELECT pg_try_advisory_xact_lock(7413005) AS mine")
JUDGING: Final = text("SELECT pg_try_advisory_xact_lock(7413009) AS mine")
SIGNING_KEY: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:agency, 7413010))")
SIGNING_IN: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 7413012))")
PARTITIONS: Final = text("SELECT pg_advisory_xact_lock(7413011)")
