-- Payouts: which batches of a provider's report a deposit brings, and the charges of each, once.
-- What was taken up as somebody's money is no payout any more.
CREATE OR REPLACE TEMP TABLE deposit AS
SELECT p.id AS line_id, p.booked_on, p.net, p.reference, p.line_no, m.provider
FROM pending p JOIN marked m ON m.line_id = p.id AND m.kind = 'payout'
WHERE p.net > 0 AND NOT EXISTS (SELECT 1 FROM told_by_line e
                                WHERE e.line_id = p.id AND e.noted_at <= getvariable('as_of'));
-- Which batches may matter: those that a deposit names, and those of the five days before one that
-- names none.
CREATE OR REPLACE TEMP TABLE seen AS
SELECT account, batch, value_on FROM report_part WHERE taken <= getvariable('as_of')
 AND booked_on BETWEEN getvariable('business_on') - getvariable('window_days')
     AND getvariable('business_on');
CREATE OR REPLACE TEMP TABLE unnamed AS
SELECT d.line_id, d.net, d.booked_on, h.name AS account
FROM deposit d JOIN holder h ON starts_with(h.name, d.provider || '/')
WHERE (h.name, d.reference) NOT IN (SELECT (account, batch) FROM seen) OR d.reference IS NULL;
CREATE OR REPLACE TEMP TABLE wanted AS
SELECT DISTINCT s.account, s.batch FROM seen s JOIN deposit d ON d.reference = s.batch
UNION
SELECT DISTINCT s.account, s.batch FROM seen s JOIN unnamed u ON u.account = s.account
 AND s.value_on BETWEEN u.booked_on - 5 AND u.booked_on;
-- A batch counts what its lines say, ours or not; what is listed a second time counts once.
CREATE OR REPLACE TEMP TABLE batch AS
WITH counted AS (
  SELECT r.*, coalesce(ours_from <= getvariable('as_of'), false) AS is_ours
  FROM report r JOIN wanted USING (account, batch)
  WHERE taken <= getvariable('as_of') AND booked_on BETWEEN
    getvariable('business_on') - getvariable('window_days') AND getvariable('business_on')
)
SELECT account, batch, sum(net) AS net, max(value_on) AS value_on,
       sum(CASE kind WHEN 'charge' THEN -net ELSE fee END) AS charges,
       bool_or(kind = 'payment' AND is_ours) AS is_known,
       bool_or(kind = 'payment' AND EXISTS (SELECT 1 FROM in_hand h
         WHERE h.holder = counted.account AND h.txn_id = counted.listed_as)) AS is_in_hand
FROM counted WHERE kind = 'charge' OR nth = 1 OR NOT is_ours GROUP BY ALL;
-- A deposit names its batch and is all of it, of one account; or several are together.
CREATE OR REPLACE TEMP TABLE payout AS
WITH named AS (
  SELECT d.line_id, d.booked_on, d.line_no, d.net, b.account, b.batch, b.net AS whole
  FROM deposit d
  JOIN batch b ON starts_with(b.account, d.provider || '/') AND b.batch = d.reference
), one AS (
  SELECT * FROM named WHERE net = whole QUALIFY count(*) OVER (PARTITION BY line_id) = 1
), parts AS (
  SELECT * FROM named
  WHERE (account, batch) NOT IN (SELECT (account, batch) FROM paid_batch)
   AND batch NOT IN (SELECT batch FROM one)
  QUALIFY sum(net) OVER (PARTITION BY account, batch) = whole
      AND count(*) OVER (PARTITION BY account, batch) > 1
      AND count(*) OVER (PARTITION BY line_id) = 1
)
SELECT * FROM one UNION ALL SELECT * FROM parts;
-- Or it names none, and is the only choice of one to three batches that nobody paid out; a night has
-- more than 20 of them to choose from only where something is wrong. A batch without money of ours
-- may be chosen, and then the payout is a person's to explain.
INSERT INTO payout
WITH possible AS (
  SELECT u.*, b.batch, b.net AS part
  FROM unnamed u
  JOIN batch b ON b.account = u.account AND b.value_on BETWEEN u.booked_on - 5 AND u.booked_on
  WHERE (b.account, b.batch) NOT IN (
    SELECT (account, batch) FROM paid_batch UNION SELECT (account, batch) FROM payout)
   AND u.line_id NOT IN (SELECT line_id FROM payout)
  QUALIFY count(*) OVER (PARTITION BY u.line_id, u.account) <= 20
), upto_two AS (
  SELECT line_id, account, net, booked_on, [batch] AS chosen, part FROM possible
  UNION ALL
  SELECT x.line_id, x.account, x.net, x.booked_on, [x.batch, y.batch], x.part + y.part
  FROM possible x JOIN possible y ON (y.line_id, y.account) = (x.line_id, x.account)
   AND y.batch > x.batch
), choice AS (
  SELECT line_id, account, booked_on, chosen FROM upto_two WHERE part = net
  UNION ALL
  SELECT x.line_id, x.account, x.booked_on, list_append(x.chosen, z.batch)
  FROM upto_two x JOIN possible z ON (z.line_id, z.account) = (x.line_id, x.account)
   AND len(x.chosen) = 2 AND z.batch > x.chosen[2]
  WHERE x.part + z.part = x.net
), sole AS (
  SELECT line_id, account, booked_on, unnest(chosen) AS batch
  FROM (SELECT * FROM choice QUALIFY count(*) OVER (PARTITION BY line_id) = 1)
), claimed AS (
  SELECT s.*, b.net, b.is_known, count(*) OVER (PARTITION BY s.account, s.batch) AS claims
  FROM sole s JOIN batch b USING (account, batch)
)
SELECT line_id, booked_on, 0, net, account, batch, net FROM claimed
QUALIFY bool_and(is_known AND claims = 1) OVER (PARTITION BY line_id);
-- Nothing is booked of a batch that is no money of ours, or over what people said of its captures. The
-- first deposit carries the charges.
DELETE FROM payout WHERE line_id IN (
  SELECT line_id FROM payout JOIN batch USING (account, batch) WHERE NOT is_known OR is_in_hand);
INSERT INTO entry
WITH charged AS (
  SELECT p.*, CASE WHEN row_number() OVER (PARTITION BY account, batch
                     ORDER BY p.booked_on, p.line_no, p.line_id) = 1
                    AND (account, batch) NOT IN (SELECT (account, batch) FROM paid_batch)
                   THEN b.charges ELSE 0 END AS charges
  FROM payout p JOIN batch b USING (account, batch)
)
SELECT 'statement_line', line_id, x.debit, x.credit, x.amount, booked_on, getvariable('as_of')
FROM charged, LATERAL (VALUES ('1120', '1380', net), ('1380', '1120', -net),
  ('6420', '1380', charges), ('1383', '4900', charges), ('1380', '6420', -charges),
  ('4900', '1383', -charges)) x (debit, credit, amount) WHERE x.amount > 0;
INSERT INTO posted SELECT DISTINCT line_id FROM payout;
INSERT INTO paid_batch SELECT DISTINCT account, batch FROM payout;
