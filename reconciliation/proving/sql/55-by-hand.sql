-- What two people agreed to about breaks, and until when it stood: read from what one of them
-- proposed, with the amounts that the evidence tells; sides are poured into each other in order.
CREATE TABLE stood AS
SELECT d.id, d.what, d.noted_at AS since, u.noted_at AS until
FROM decision d LEFT JOIN decision u ON u.undoes = d.id AND u.what = 'undo'
WHERE d.what <> 'undo';
CREATE TABLE side AS
WITH told AS (
  SELECT p.*, coalesce(abs(l.net), c.amount, p.said) AS amount
  FROM decided_part p LEFT JOIN line l ON l.id = p.line_id
  LEFT JOIN capture c ON c.id = p.capture_id
)
SELECT t.*, s.what, s.since, s.until,
       sum(t.amount) OVER (PARTITION BY t.decision_id, t.is_source ORDER BY t.n) AS upto
FROM told t JOIN stood s ON s.id = t.decision_id;
INSERT INTO finding
SELECT 'decision ' || decision_id || ' says ' || said || ' of '
       || coalesce(line_id, capture_id) || ', which is ' || amount
FROM side WHERE said <> amount;
CREATE TABLE poured AS
SELECT s.decision_id, s.since, s.until, s.line_id, s.capture_id, t.payment_id,
       t.capture_id AS target_id,
       least(s.upto, t.upto) - greatest(s.upto - s.amount, t.upto - t.amount) AS amount
FROM side s JOIN side t ON t.decision_id = s.decision_id AND s.is_source AND NOT t.is_source
WHERE least(s.upto, t.upto) > greatest(s.upto - s.amount, t.upto - t.amount);
-- A home: money in suspense makes a payment whole; the last of it is what pays.
CREATE TABLE homed AS
SELECT p.payment_id, arg_max(c.id, (c.paid, c.id)) AS capture_id,
       CAST(sum(p.amount) AS BIGINT) AS amount, p.since AS noted_at
FROM poured p JOIN capture c ON c.id = p.capture_id WHERE p.payment_id IS NOT NULL
GROUP BY p.decision_id, p.payment_id, p.since;
-- What left suspense, for a home or as the same money, and what came back to it.
CREATE TABLE moved AS
SELECT decision_id AS id, capture_id, x.amount, x.noted_at
FROM side, LATERAL (VALUES (-side.amount, since), (side.amount, until)) x (amount, noted_at)
WHERE is_source AND what = 'link' AND capture_id IS NOT NULL AND x.noted_at IS NOT NULL;
-- Two words about one movement; a credit and what it brought; a loss. An undo is the reverse.
INSERT INTO entry
WITH agreed AS (
  SELECT 'correction' AS kind, capture_id AS voucher, '3310' AS debit, '1380' AS credit, p.amount,
         c.business_on AS on_day, since, until
  FROM poured p JOIN capture c ON c.id = p.capture_id WHERE target_id IS NOT NULL
  UNION ALL
  SELECT 'statement_line', line_id, '1120', '1380', amount, l.booked_on, since, until
  FROM poured JOIN line l ON l.id = line_id WHERE target_id IS NOT NULL
  UNION ALL
  SELECT CASE WHEN line_id IS NULL THEN 'correction' ELSE 'statement_line' END,
         coalesce(line_id, capture_id), x.debit, x.credit, amount, l.booked_on, since, until
  FROM side LEFT JOIN line l ON l.id = line_id, LATERAL (VALUES
    ('6430', CASE WHEN line_id IS NULL THEN '1380' ELSE '1120' END), ('1383', '4900'))
    x (debit, credit)
  WHERE what = 'write_off'
)
SELECT kind, voucher, debit, credit, amount, coalesce(on_day, hanoi(since)), since FROM agreed
UNION ALL
SELECT kind, voucher, credit, debit, amount, coalesce(on_day, hanoi(until)), until FROM agreed
WHERE until IS NOT NULL;
-- What a night leaves as it is: lines that people explained, and captures that have theirs.
CREATE TABLE handed AS
SELECT p.line_id, p.target_id AS capture_id, n.holder, n.txn_id, since,
       coalesce(until, 9223372036854775807) AS until
FROM poured p JOIN named n ON n.id = p.target_id
UNION ALL
SELECT s.line_id, s.capture_id, n.holder, n.txn_id, since, coalesce(until, 9223372036854775807)
FROM side s LEFT JOIN named n ON n.id = s.capture_id WHERE s.what = 'write_off';
-- Which later credit tells of money that people decided about: by the word that it was taken for,
-- the payment in its text, the bank's reference, or as the only equal one of its day; where it names
-- nothing, of the three days before it.
CREATE TABLE contrary AS
WITH decided AS (
  SELECT DISTINCT c.id, c.holder, c.amount, c.payment_id, c.business_on, hanoi(c.paid) AS value_on,
         n.bank_reference
  FROM handed h JOIN capture c ON c.id = h.capture_id JOIN named n ON n.id = c.id
)
SELECT l.id AS line_id, d.id AS capture_id
FROM line l JOIN bank b ON b.account = l.account
JOIN decided d ON d.holder = b.holder AND d.amount = l.net
LEFT JOIN sole_named m ON m.memo = l.memo AND m.is_line
WHERE l.is_plain AND l.booked_on BETWEEN d.value_on - 3 AND d.business_on + 3
 AND (m.payment_id = d.payment_id OR l.reference = d.bank_reference
      OR m.payment_id IS NULL AND l.booked_on BETWEEN d.value_on AND d.value_on + 3
       AND NOT EXISTS (SELECT 1 FROM capture o WHERE (o.holder, o.amount) = (d.holder, d.amount)
         AND o.id <> d.id AND hanoi(o.paid) BETWEEN l.booked_on - 3 AND l.booked_on))
UNION
SELECT e.source_id, d.id FROM evidence e JOIN decided d ON d.id = e.capture_id
WHERE e.source = 'statement';
