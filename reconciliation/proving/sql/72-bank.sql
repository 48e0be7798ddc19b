-- A deposit bag: the bank counted what left in it, once.
CREATE OR REPLACE TEMP TABLE banked AS
SELECT p.id AS line_id, b.id AS bag_id, p.net, p.booked_on
FROM pending p JOIN bag_named n ON n.line_id = p.id
JOIN bag b ON b.number = n.number AND b.amount = p.net AND b.noted_at <= getvariable('as_of')
WHERE b.id NOT IN (SELECT bag_id FROM bag_seen)
 AND p.id NOT IN (SELECT line_id FROM posted)
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
