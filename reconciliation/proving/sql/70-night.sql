-- One night again: what a run could explain with all that was there at its moment, and no more.
CREATE OR REPLACE TEMP TABLE there AS
SELECT * FROM waiting UNION ALL
SELECT * EXCLUDE (night) FROM coming WHERE night = getvariable('night');
-- What people explained is not looked at while their word stands; a line that says otherwise of
-- money which has its line, or is a loss, is not booked either.
CREATE OR REPLACE TEMP TABLE in_hand AS
SELECT * FROM handed WHERE since <= getvariable('as_of') AND until > getvariable('as_of');
CREATE OR REPLACE TEMP TABLE pending AS
SELECT * FROM there WHERE NOT EXISTS (SELECT 1 FROM in_hand h WHERE h.line_id = there.id);
DELETE FROM posted;
-- A payout: the batch that it names, of one account of its provider, adds up to it, and each line of
-- the batch is a capture, a refund or a quarrel of ours. One that is listed twice counts once.
CREATE OR REPLACE TEMP TABLE payout AS
WITH judged AS (
  SELECT *, coalesce(ours_from <= getvariable('as_of'), false) AS is_ours,
         kind = 'payment' AND EXISTS (SELECT 1 FROM in_hand h WHERE h.holder = report.account
           AND h.txn_id = report.listed_as) AS is_in_hand
  FROM report
  WHERE batch_id IN (SELECT p.reference FROM pending p
                     JOIN marked m ON m.line_id = p.id AND m.kind = 'payout')
   AND taken <= getvariable('as_of') AND booked_on BETWEEN
     getvariable('business_on') - getvariable('window_days') AND getvariable('business_on')
), once AS (
  SELECT * FROM judged QUALIFY kind = 'charge' OR NOT is_ours OR row_number() OVER (
    PARTITION BY account, kind, gross, listed_as, is_ours ORDER BY line_no) = 1
), batch AS (
  SELECT account, batch_id, sum(net) AS net, sum(CASE kind WHEN 'charge' THEN -net ELSE fee END)
         AS charges
  FROM once GROUP BY ALL
  HAVING bool_and(is_ours) AND NOT bool_or(is_in_hand) AND bool_or(kind = 'payment')
     AND sum(net) = sum(gross) - sum(fee)
)
SELECT p.id AS line_id, p.booked_on, p.net, b.account, b.batch_id, b.charges
FROM pending p JOIN marked m ON m.line_id = p.id AND m.kind = 'payout'
JOIN batch b ON starts_with(b.account, m.provider || '/') AND b.batch_id = p.reference
 AND b.net = p.net
WHERE p.net > 0 QUALIFY count(*) OVER (PARTITION BY p.id) = 1;
INSERT INTO entry
SELECT 'statement_line', line_id, x.debit, x.credit, x.amount, booked_on, getvariable('as_of')
FROM payout, LATERAL (VALUES ('1120', '1380', net), ('6420', '1380', charges),
  ('1383', '4900', charges), ('1380', '6420', -charges), ('4900', '1383', -charges))
  x (debit, credit, amount) WHERE x.amount > 0;
INSERT INTO posted SELECT line_id FROM payout;
-- A deposit bag: the bank counted what left in it, once.
CREATE OR REPLACE TEMP TABLE banked AS
SELECT p.id AS line_id, b.id AS bag_id, p.net, p.booked_on
FROM pending p JOIN bag_named n ON n.line_id = p.id
JOIN bag b ON b.number = n.number AND b.amount = p.net AND b.noted_at <= getvariable('as_of')
WHERE b.id NOT IN (SELECT bag_id FROM bag_seen)
 AND p.id NOT IN (SELECT line_id FROM payout)
QUALIFY row_number() OVER (PARTITION BY b.id ORDER BY p.id) = 1
    AND count(*) OVER (PARTITION BY p.id) = 1;
INSERT INTO bag_seen SELECT bag_id FROM banked;
INSERT INTO entry
SELECT 'statement_line', line_id, '1120', '1130', net, booked_on, getvariable('as_of')
FROM banked;
INSERT INTO posted SELECT line_id FROM banked;
-- A remittance: what left the account is what the treasury lists of it.
CREATE OR REPLACE TEMP TABLE sent AS
SELECT p.id AS line_id, -p.net AS amount, p.booked_on
FROM pending p JOIN marked m ON m.line_id = p.id AND m.kind = 'remittance'
JOIN (SELECT batch_id, sum(net) AS net FROM treasury
      WHERE batch_id IN (SELECT p.reference FROM pending p
                         JOIN marked m ON m.line_id = p.id AND m.kind = 'remittance')
       AND taken <= getvariable('as_of') AND booked_on BETWEEN
         getvariable('business_on') - getvariable('window_days') AND getvariable('business_on')
      GROUP BY batch_id) a
  ON a.batch_id = p.reference AND a.net = -p.net;
INSERT INTO entry
SELECT 'remittance', line_id, '1130', '1120', amount, booked_on, getvariable('as_of') FROM sent;
INSERT INTO posted SELECT line_id FROM sent;
-- A transfer: a plain credit, or one that was taken up as a word for money.
CREATE OR REPLACE TEMP TABLE transfer AS
SELECT p.id AS line_id, p.net, p.booked_on FROM pending p JOIN bank b ON b.account = p.account
WHERE p.source = 'statement' AND p.net > 0
 AND NOT EXISTS (SELECT 1 FROM posted x WHERE x.line_id = p.id)
 AND (p.is_plain OR EXISTS (SELECT 1 FROM told_by_line e WHERE e.line_id = p.id
      AND e.noted_at <= getvariable('as_of')))
 AND NOT EXISTS (SELECT 1 FROM contrary x JOIN in_hand h ON h.capture_id = x.capture_id
   WHERE x.line_id = p.id AND NOT EXISTS (
     SELECT 1 FROM evidence e WHERE e.source = 'statement' AND e.source_id = p.id
      AND e.capture_id <> x.capture_id AND e.noted_at <= getvariable('as_of')));
INSERT INTO entry
SELECT 'statement_line', line_id, '1120', '1380', net, booked_on, getvariable('as_of')
FROM transfer;
INSERT INTO posted SELECT line_id FROM transfer;
-- The treasury names a payment, or confirms a day's money of a budget line in one sum; what refunds
-- took before, and what is owed again, it never gets.
CREATE OR REPLACE TEMP TABLE all_due AS
WITH given AS (
  SELECT r.payment_id, f.budget_line, f.kind, sum(p.amount) AS amount
  FROM refund r JOIN refund_part p ON p.refund_id = r.id
  JOIN fee_line f ON f.payment_id = r.payment_id AND f.n = p.n
  WHERE r.route <> 'treasury' AND r.decided <= getvariable('as_of')
   AND NOT (r.state = 'failed' AND r.ended <= getvariable('as_of')) GROUP BY ALL
)
SELECT d.* REPLACE (d.amount - coalesce(g.amount, 0) AS amount)
FROM (SELECT * FROM due_left UNION ALL
      SELECT * EXCLUDE (night) FROM due_coming WHERE night = getvariable('night')) d
LEFT JOIN given g USING (payment_id, budget_line, kind);
CREATE OR REPLACE TEMP TABLE still_due AS
SELECT * FROM all_due d WHERE amount > 0
 AND value_on >= getvariable('business_on') - getvariable('window_days')
 AND capture_id NOT IN (SELECT capture_id FROM dispute WHERE state = 'lost' AND NOT is_borne
                        AND ended <= getvariable('as_of'));
CREATE OR REPLACE TEMP TABLE arrived AS
WITH named AS (
  SELECT l.* FROM pending l WHERE l.obligation IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY l.obligation, l.budget_line
                             ORDER BY l.booked_on, l.line_no, l.id) = 1
), by_day AS (
  SELECT budget_line, business_on, sum(amount) AS amount,
         row_number() OVER (PARTITION BY budget_line, sum(amount) ORDER BY business_on) AS nth
  FROM still_due d WHERE NOT EXISTS (SELECT 1 FROM pending l WHERE l.obligation = d.payment_id
                                     AND l.budget_line = d.budget_line)
  GROUP BY budget_line, business_on
), lump AS (
  SELECT l.*, row_number() OVER (PARTITION BY budget_line, net
                                 ORDER BY booked_on, line_no, id) AS nth
  FROM pending l WHERE l.source = 'treasury' AND l.obligation IS NULL
)
SELECT l.id AS line_id, l.net, l.booked_on, d.capture_id, d.payment_id, d.budget_line, d.kind,
       d.amount, d.business_on
FROM named l JOIN still_due d ON d.payment_id = l.obligation AND d.budget_line = l.budget_line
 AND d.amount = l.net
UNION ALL
SELECT l.id, l.net, l.booked_on, d.capture_id, d.payment_id, d.budget_line, d.kind, d.amount,
       d.business_on
FROM lump l JOIN by_day y ON (y.budget_line, y.amount, y.nth) = (l.budget_line, l.net, l.nth)
 AND y.business_on <= l.booked_on
JOIN still_due d ON (d.budget_line, d.business_on) = (y.budget_line, y.business_on)
 AND NOT EXISTS (SELECT 1 FROM pending o WHERE o.obligation = d.payment_id
                 AND o.budget_line = d.budget_line);
INSERT INTO confirmed
SELECT line_id, first_open(any_value(booked_on), getvariable('as_of'), getvariable('last_on')),
       any_value(net), sum(amount) FILTER (WHERE kind = 'phi')
FROM arrived GROUP BY line_id;
INSERT INTO with_treasury SELECT DISTINCT capture_id, getvariable('as_of') FROM arrived;
INSERT INTO posted SELECT DISTINCT line_id FROM arrived;
-- What nothing explained is looked at again; what is confirmed is due no more.
CREATE OR REPLACE TABLE due_left AS
SELECT * FROM (SELECT * FROM due_left UNION ALL
  SELECT * EXCLUDE (night) FROM due_coming WHERE night = getvariable('night')) d
WHERE NOT EXISTS (SELECT 1 FROM arrived a WHERE (a.capture_id, a.payment_id, a.budget_line)
  = (d.capture_id, d.payment_id, d.budget_line));
