-- The treasury names a payment, in one document or in several, by its id, by a document's number or in
-- its text; or it confirms a day's money of a budget line in one sum. What refunds took before, and
-- what is owed again, it never gets.
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
 AND value_on BETWEEN getvariable('business_on') - getvariable('window_days')
     AND getvariable('business_on')
 AND capture_id NOT IN (SELECT capture_id FROM dispute WHERE state = 'lost' AND NOT is_borne
                        AND ended <= getvariable('as_of'));
CREATE OR REPLACE TEMP TABLE arrived AS
WITH named AS (
  SELECT * FROM pending WHERE obligation IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY obligation, budget_line
                             ORDER BY booked_on, line_no, id) = 1
), one AS (
  SELECT l.id AS line_id, l.net, l.booked_on, d.*
  FROM named l JOIN still_due d ON d.payment_id = l.obligation AND d.budget_line = l.budget_line
   AND d.amount = l.net
), document AS (  -- Together they are what is due; the same one twice is one.
  SELECT p.* FROM pending p ANTI JOIN one o
   ON o.payment_id = p.obligation AND o.budget_line = p.budget_line
  WHERE p.obligation IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY obligation, budget_line, reference
                             ORDER BY line_no, id) = 1
), parts AS (
  SELECT l.id AS line_id, l.net, l.booked_on, d.*
  FROM (SELECT *, sum(net) OVER (PARTITION BY obligation, budget_line) AS together,
               count(*) OVER (PARTITION BY obligation, budget_line) AS documents FROM document) l
  JOIN still_due d ON d.payment_id = l.obligation AND d.budget_line = l.budget_line
   AND d.amount = l.together
  WHERE l.documents > 1
), explained AS (
  SELECT * FROM one UNION ALL SELECT * FROM parts
), told AS (
  SELECT l.id AS line_id, l.net, l.booked_on, d.*
  FROM pending l JOIN document_named n ON n.line_id = l.id
  JOIN still_due d ON d.payment_id = n.payment_id AND d.budget_line = l.budget_line
   AND d.amount = l.net
  WHERE NOT EXISTS (SELECT 1 FROM explained e WHERE e.payment_id = d.payment_id
                    AND e.budget_line = d.budget_line)
  QUALIFY count(*) OVER (PARTITION BY l.id) = 1
      AND count(*) OVER (PARTITION BY d.payment_id, d.budget_line) = 1
)
SELECT *, false AS is_lump FROM explained UNION ALL SELECT *, false FROM told;
-- Of equal sums the n-th day is the n-th document's, where none is missing; and where fewer than half of
-- a budget line's documents are a day's money, one that is, is so by chance.
INSERT INTO arrived
WITH lump AS (
  SELECT l.*, row_number() OVER (PARTITION BY budget_line, net
                                 ORDER BY booked_on, line_no, id) AS nth,
         count(*) OVER (PARTITION BY budget_line, net) AS lumps
  FROM pending l WHERE l.source = 'treasury' AND l.obligation IS NULL
   AND l.id NOT IN (SELECT line_id FROM arrived)
), rest AS (
  SELECT * FROM still_due d
  WHERE budget_line IN (SELECT budget_line FROM lump)
   AND NOT EXISTS (SELECT 1 FROM pending l WHERE l.obligation = d.payment_id
                    AND l.budget_line = d.budget_line)
   AND NOT EXISTS (SELECT 1 FROM arrived a WHERE a.capture_id = d.capture_id
                   AND a.budget_line = d.budget_line)
), by_day AS (
  SELECT budget_line, business_on, sum(amount) AS amount FROM rest GROUP BY ALL
), days AS (
  SELECT *, row_number() OVER equal AS nth, count(*) OVER (PARTITION BY budget_line, amount) AS days,
         lead(business_on) OVER equal AS next_on
  FROM by_day WINDOW equal AS (PARTITION BY budget_line, amount ORDER BY business_on)
), fitting AS (
  SELECT l.*, d.business_on, coalesce(d.days = l.lumps OR d.next_on IS NULL
                                      OR d.next_on > l.booked_on, false) AS is_sure
  FROM lump l LEFT JOIN days d ON (d.budget_line, d.amount, d.nth) = (l.budget_line, l.net, l.nth)
   AND d.business_on <= l.booked_on
), chance AS (
  SELECT budget_line, sum(fit) * 2 >= sum(n) AS is_none FROM (
    SELECT budget_line, count(business_on) AS fit, count(*) AS n FROM fitting GROUP BY ALL
    UNION ALL
    SELECT budget_line, count(*), count(*) FROM lump_posted
    WHERE booked_on >= getvariable('business_on') - getvariable('window_days') GROUP BY ALL)
  GROUP BY ALL
)
SELECT l.id, l.net, l.booked_on, d.*, true
FROM fitting l JOIN chance c ON c.budget_line = l.budget_line AND c.is_none
JOIN rest d ON (d.budget_line, d.business_on) = (l.budget_line, l.business_on)
WHERE l.is_sure;
INSERT INTO lump_posted SELECT DISTINCT line_id, budget_line, booked_on FROM arrived WHERE is_lump;
-- A document brings what it says; phí is apportioned first, of one of several as much as it brings.
INSERT INTO confirmed
SELECT line_id, first_open(any_value(booked_on), getvariable('as_of'), getvariable('last_on')),
       any_value(net),
       least(coalesce(sum(amount) FILTER (WHERE kind = 'phi'), 0), any_value(net))
FROM arrived GROUP BY line_id;
INSERT INTO with_treasury SELECT DISTINCT capture_id, getvariable('as_of') FROM arrived;
INSERT INTO posted SELECT DISTINCT line_id FROM arrived;
-- What nothing explained is looked at again; what is confirmed is due no more.
CREATE OR REPLACE TABLE due_left AS
SELECT * FROM (SELECT * FROM due_left UNION ALL
  SELECT * EXCLUDE (night) FROM due_coming WHERE night = getvariable('night')) d
ANTI JOIN arrived USING (capture_id, payment_id, budget_line);
