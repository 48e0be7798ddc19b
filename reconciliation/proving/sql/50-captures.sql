-- Each capture from the first raw word of it: how much, for whose debt, on which business day. What
-- only an answer to our own question told, a provider's list may tell again; else it is underived.
CREATE TABLE told AS
SELECT e.capture_id, e.noted_at, w.holder, w.txn_id, w.amount, w.reference, w.serial, w.memo, w.paid,
       w.payment_reference, false AS is_line, 'notice ' || w.id AS said
FROM evidence e JOIN word w ON e.source = 'notice' AND w.id = e.source_id
UNION ALL
SELECT e.capture_id, e.noted_at, CASE l.source WHEN 'provider' THEN l.account ELSE b.holder END,
       CASE l.source WHEN 'provider' THEN l.txn_id
            ELSE 'statement:' || l.account || ':' || l.name END,
       l.gross, CASE l.source WHEN 'provider' THEN l.reference END, NULL,
       CASE l.source WHEN 'provider' THEN l.reference ELSE l.memo END,
       coalesce(l.txn_at, day_start(l.booked_on)), l.payment_reference, true,
       'statement line ' || l.id
FROM evidence e
JOIN line l ON e.source IN ('provider_report', 'statement') AND l.id = e.source_id
LEFT JOIN bank b ON b.account = l.account;
-- A word that names other money than its capture is money of its own, and so is one that nobody
-- took up. One reporter tells of each credit under one name.
INSERT INTO finding
SELECT t.said || ' tells of ' || t.txn_id || ', which is not capture ' || t.capture_id
FROM told t JOIN named n ON n.id = t.capture_id
WHERE t.txn_id IS DISTINCT FROM n.txn_id AND t.holder NOT IN (SELECT holder FROM bank)
 AND NOT starts_with(t.holder, 'payos/')
UNION ALL
SELECT 'notice ' || w.id || ' tells of ' || w.amount || ', and nothing is booked for it'
FROM word w WHERE NOT EXISTS (
  SELECT 1 FROM evidence e WHERE e.source = 'notice' AND e.source_id = w.id)
UNION ALL
SELECT 'capture ' || e.capture_id || ' rests on notice ' || e.source_id
       || ', which is not there or says nothing of money'
FROM evidence e WHERE e.source = 'notice'
 AND NOT EXISTS (SELECT 1 FROM word w WHERE w.id = e.source_id)
 AND split_part((SELECT holder FROM named n WHERE n.id = e.capture_id), '/', 1)
     IN (SELECT provider FROM readable)
UNION ALL
SELECT 'capture ' || t.capture_id || ' is ' || count(DISTINCT t.txn_id) || ' credits of '
       || t.holder
FROM told t WHERE t.holder IN (SELECT holder FROM bank)
GROUP BY t.capture_id, t.holder, starts_with(t.txn_id, 'statement:')
HAVING count(DISTINCT t.txn_id) > 1;
CREATE TABLE capture AS
WITH first AS (
  SELECT capture_id, arg_min(struct_pack(amount := amount, reference := reference, holder := holder,
           serial := serial, memo := memo, paid := paid, payment := payment_reference,
           is_line := is_line), noted_at) AS t
  FROM told GROUP BY capture_id
), heard AS (
  SELECT capture_id, min(noted_at) AS noted_at,
         arg_min(source_id, noted_at) FILTER (WHERE source = 'inquiry') AS asked
  FROM evidence GROUP BY capture_id
), listed AS (  -- Only for what no notice told of.
  SELECT n.id, min(l.gross) AS amount, min(l.txn_at) AS paid
  FROM named n JOIN line l ON l.source = 'provider' AND l.kind = 'payment'
   AND l.account = n.holder AND l.txn_id = n.txn_id
  WHERE n.id NOT IN (SELECT capture_id FROM told) GROUP BY n.id
), raw AS (
  SELECT h.capture_id AS id, n.holder, h.noted_at, k.shift_id, coalesce(k.is_cash, false) AS is_cash,
         CASE WHEN k.shift_id IS NULL
              THEN coalesce(f.t.amount, s.amount, n.amount) END AS amount,
         k.shift_id IS NULL AND f.capture_id IS NULL AND s.id IS NULL AS is_underived,
         coalesce(f.t.paid, s.paid, n.paid) AS said_paid,
         coalesce(k.payment_id, a.payment_id, b.payment_id, c.payment_id, p.id, m.payment_id)
           AS payment_id,
         coalesce(a.amount, b.amount, c.amount) AS expected
  FROM heard h
  JOIN named n ON n.id = h.capture_id
  LEFT JOIN first f ON f.capture_id = h.capture_id
  LEFT JOIN listed s ON s.id = h.capture_id
  LEFT JOIN counter_take k ON k.capture_id = h.capture_id
  LEFT JOIN attempt a ON a.holder = n.holder AND a.reference = f.t.reference
  LEFT JOIN attempt b ON b.holder = n.holder AND b.serial = f.t.serial
  LEFT JOIN attempt c ON f.capture_id IS NULL AND c.id = coalesce(h.asked, n.attempt_id)
  LEFT JOIN payment p ON p.reference = f.t.payment
  LEFT JOIN sole_named m ON m.memo = f.t.memo AND m.is_line = f.t.is_line AND f.t.payment IS NULL
)
SELECT r.*, coalesce(h.is_fixed, true) AS is_fixed,
       CASE WHEN hanoi(said_paid) > hanoi(r.noted_at) THEN r.noted_at ELSE said_paid END AS paid,
       CAST(NULL AS DATE) AS business_on
FROM raw r LEFT JOIN holder h ON h.name = r.holder;
-- From its account's cut-off on it is tomorrow's; an account that rests books on working days.
UPDATE capture SET business_on = hanoi(paid) + CASE WHEN EXISTS (
  SELECT 1 FROM holder h WHERE h.name = capture.holder
   AND (paid + 25200000000) % 86400000000 >= h.cut_off) THEN 1 ELSE 0 END;
UPDATE capture SET business_on = coalesce((
    SELECT w.works FROM works w WHERE w.day = capture.business_on), hanoi(paid))
WHERE EXISTS (SELECT 1 FROM holder h WHERE h.name = capture.holder AND h.rests);
-- The ordinary: one capture of all that a payment owes, and nothing else ever became of it.
CREATE TABLE owed AS
SELECT p.id, p.noted_at, p.debt, sum(f.amount) AS amount
FROM payment p JOIN fee_line f ON f.payment_id = p.id GROUP BY ALL;
CREATE TABLE odd AS
SELECT payment_id FROM ended
UNION SELECT payment_id FROM capture GROUP BY payment_id HAVING count(*) > 1
UNION SELECT c.payment_id FROM dispute d JOIN capture c ON c.id = d.capture_id
UNION SELECT payment_id FROM refund WHERE source <> 'debt'
UNION SELECT payment_id FROM decided_part WHERE payment_id IS NOT NULL
UNION SELECT c.payment_id FROM capture c LEFT JOIN owed p ON p.id = c.payment_id
  WHERE p.id IS NULL OR c.amount <> p.amount OR (c.is_fixed AND c.expected <> c.amount);
-- Of one debt, what becomes of one payment may decide about another.
INSERT INTO odd SELECT p.id FROM payment p WHERE p.debt IN (
  SELECT q.debt FROM payment q JOIN odd o ON o.payment_id = q.id);
CREATE TABLE paying AS
SELECT c.id AS capture_id, c.payment_id, first_open(c.business_on, c.noted_at, z.last_on) AS day,
       CASE WHEN c.is_cash THEN '1110' ELSE '1380' END AS into, true AS is_ordinary,
       c.noted_at AS since
FROM (SELECT * FROM capture WHERE payment_id IS NOT NULL AND payment_id NOT IN
        (SELECT payment_id FROM odd WHERE payment_id IS NOT NULL)) c
ASOF JOIN closing z ON c.noted_at >= z.noted_at;
UPDATE capture SET amount = p.amount FROM owed p, paying y
WHERE capture.amount IS NULL AND y.capture_id = capture.id AND p.id = capture.payment_id;
