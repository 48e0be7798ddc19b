-- What people and providers decided: shifts, refunds and disputes, each on the day it was decided.
INSERT INTO entry
WITH counted AS (
  SELECT s.*, s.float_amount + coalesce(t.amount, 0) AS expected
  FROM shift s LEFT JOIN (SELECT shift_id, sum(amount) AS amount FROM capture WHERE is_cash
                          GROUP BY shift_id) t ON t.shift_id = s.id
), short AS (
  SELECT h.*, s.expected - s.counted AS missing FROM shortage h JOIN counted s ON s.id = h.shift_id
)
SELECT 'shift', id, x.debit, x.credit, x.amount, hanoi(x.noted_at), x.noted_at
FROM counted, LATERAL (VALUES
  ('1110', '1130', float_amount, opened),
  ('1382', '1110', CASE WHEN closed > 0 THEN expected - counted END, closed),
  ('1110', '3310', CASE WHEN closed > 0 THEN counted - expected END, closed),
  ('1130', '1110', CASE WHEN closed > 0 THEN counted END, closed)) x (debit, credit, amount, noted_at)
WHERE x.amount > 0
UNION ALL
SELECT 'shift', shift_id, x.debit, x.credit, missing, hanoi(ended), ended
FROM short, LATERAL (VALUES
  ('1110', '1382', 'made_good'), ('1130', '1110', 'made_good'),
  ('6430', '1382', 'written_off'), ('1383', '4900', 'written_off')) x (debit, credit, state)
WHERE short.state = x.state;
CREATE TABLE approved AS
SELECT r.id, r.state, r.decided, r.ended, x.debit, x.credit, x.amount
FROM refund r, LATERAL (
  SELECT CASE r.source WHEN 'surplus' THEN '3320' ELSE '3310' END AS debit, '3380' AS credit,
         r.amount AS amount WHERE r.source <> 'debt'
) x
UNION ALL
SELECT r.id, r.state, r.decided, r.ended,
       CASE r.route WHEN 'treasury' THEN '1388' ELSE home(f.kind) END, '3380', p.amount
FROM refund r JOIN refund_part p ON p.refund_id = r.id
JOIN fee_line f ON f.payment_id = r.payment_id AND f.n = p.n WHERE r.source = 'debt'
UNION ALL
SELECT r.id, r.state, r.decided, r.ended, 'M5', 'M2', p.amount
FROM refund r JOIN refund_part p ON p.refund_id = r.id WHERE r.source = 'debt';
INSERT INTO entry
SELECT 'refund', id, debit, credit, amount, hanoi(decided), decided FROM approved
UNION ALL
SELECT 'refund', id, credit, debit, amount, hanoi(ended), ended FROM approved
WHERE state = 'failed'
UNION ALL
SELECT 'refund', id, '3380', CASE route WHEN 'provider' THEN '1380' WHEN 'transfer' THEN '1120'
       ELSE '1388' END, amount, hanoi(ended), ended
FROM refund WHERE state = 'done'
UNION ALL
SELECT 'dispute', id, x.debit, x.credit, x.amount, hanoi(x.noted_at), x.noted_at
FROM dispute d, LATERAL (VALUES
  ('1381', '1380', d.amount, opened), ('6420', '1380', fee, opened), ('1383', '4900', fee, opened),
  ('1380', '1381', CASE state WHEN 'won' THEN d.amount END, ended)) x (debit, credit, amount, noted_at)
WHERE x.amount > 0;
INSERT INTO finding
SELECT 'refund ' || r.id || ' gives back other parts than its amount'
FROM refund r LEFT JOIN refund_part p ON p.refund_id = r.id WHERE r.source = 'debt'
GROUP BY r.id, r.amount HAVING coalesce(sum(p.amount), 0) <> r.amount;
-- What is due to the budget, as the capture that pays makes it due.
CREATE TABLE due AS
SELECT y.capture_id, y.payment_id, f.budget_line, f.kind, sum(f.amount) AS amount,
       y.since AS noted_at, hanoi(c.paid) AS value_on, c.business_on
FROM paying y JOIN capture c ON c.id = y.capture_id JOIN fee_line f ON f.payment_id = y.payment_id
GROUP BY ALL;
CREATE TABLE bag AS
SELECT id, bag AS number, counted - float_amount AS amount, closed AS noted_at
FROM shift WHERE closed > 0 AND bag <> '' AND counted > float_amount
UNION ALL
SELECT h.id, s.bag, a.amount, h.ended FROM shortage h JOIN shift s ON s.id = h.shift_id
JOIN entry a ON a.kind = 'shift' AND a.voucher = s.id AND (a.debit, a.credit) = ('1110', '1382')
WHERE h.state = 'made_good';
-- What a provider may list of ours: by its number of a capture, our name of a refund, its name of a
-- quarrel, with the sign that its report gives it.
CREATE TABLE ours AS
SELECT holder, 'payment' AS kind, n.txn_id AS name, c.amount AS gross, c.noted_at
FROM capture c JOIN (SELECT id, txn_id FROM named) n ON n.id = c.id
UNION ALL
SELECT c.holder, 'refund', substr(r.id, 5), -r.amount, r.decided
FROM refund r JOIN capture c ON c.id = r.capture_id WHERE r.route = 'provider'
UNION ALL
SELECT holder, 'reversal', name, -amount, opened FROM dispute
UNION ALL
SELECT holder, 'reversal', name, amount, ended FROM dispute WHERE state = 'won';
