-- The same account, day and amount, where one side does not know the bank's reference.
-- Proves: as many equal credits on the statement as captures; the n-th is the n-th (CONTRACT 6). Where
-- a text names a payment, order counts among the credits of that payment alone. Where none does, it
-- counts among captures that no payment has yet, of which one is as good as another; whose money a
-- paid one is, order alone does not say, unless no other capture is open on the account within three
-- days, and no other credit that names nothing.
WITH credit AS (
  SELECT l.id, l.account, l.booked_on, l.net, l.reference, l.line_no, max(p.id) AS payment_id,
         count(n.reference) AS named
  FROM line l
  LEFT JOIN candidate n ON n.line_id = l.id
  LEFT JOIN payment p ON p.reference = n.reference
  WHERE l.source = 'statement' AND l.net > 0
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
    AND NOT EXISTS (SELECT 1 FROM mark k WHERE k.line_id = l.id)
  GROUP BY l.id, l.account, l.booked_on, l.net, l.reference, l.line_no
), taken AS (
  SELECT c.id, c.bank_account, c.value_on, c.amount, c.bank_reference, c.paid_at,
         max(s.payment_id) AS payment_id
  FROM capture c
  LEFT JOIN share s ON s.capture_id = c.id
  WHERE c.bank_account IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                    WHERE m.capture_id = c.id AND x.source = 'statement')
  GROUP BY c.id, c.bank_account, c.value_on, c.amount, c.bank_reference, c.paid_at
), told AS (
  SELECT account, max(day_no) AS upto FROM line WHERE source = 'statement' GROUP BY account
), open_day AS (
  SELECT account, day_no, sum(credits) AS credits, sum(captures) AS captures FROM (
    SELECT l.account, l.day_no, count(*) AS credits, 0 AS captures
    FROM credit c JOIN line l ON l.id = c.id WHERE c.named = 0 GROUP BY l.account, l.day_no
    UNION ALL
    SELECT x.bank_account, x.day_no, 0, count(*)
    FROM taken t JOIN capture x ON x.id = t.id
    JOIN told b ON b.account = x.bank_account AND b.upto >= x.day_no
    GROUP BY x.bank_account, x.day_no) each_side
  GROUP BY account, day_no
), near AS (
  SELECT account, day_no, sum(credits) OVER (PARTITION BY account ORDER BY day_no
           RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING) AS credits,
         sum(captures) OVER (PARTITION BY account ORDER BY day_no
           RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING) AS captures
  FROM open_day
), by_payment AS (
  SELECT l.id AS line_id, c.id AS capture_id, l.net AS amount, l.nth
  FROM (SELECT *, row_number() OVER (PARTITION BY account, booked_on, net, payment_id
                                     ORDER BY line_no, id) AS nth FROM credit) l
  JOIN (SELECT *, row_number() OVER (PARTITION BY bank_account, value_on, amount, payment_id
                                     ORDER BY paid_at, id) AS nth FROM taken) c
    ON c.bank_account = l.account AND c.value_on = l.booked_on AND c.amount = l.net
   AND c.payment_id = l.payment_id AND c.nth = l.nth
  WHERE l.reference IS NULL OR c.bank_reference IS NULL
), by_order AS (
  SELECT l.id AS line_id, c.id AS capture_id, l.net AS amount, l.nth
  FROM (SELECT *, row_number() OVER (PARTITION BY account, booked_on, net ORDER BY line_no, id)
               AS nth FROM credit WHERE named = 0) l
  JOIN (SELECT *, row_number() OVER (PARTITION BY bank_account, value_on, amount
                                     ORDER BY paid_at, id) AS nth,
               count(payment_id) OVER (PARTITION BY bank_account, value_on, amount) AS paying
        FROM taken t WHERE NOT EXISTS (SELECT 1 FROM by_payment b WHERE b.capture_id = t.id)) c
    ON c.bank_account = l.account AND c.value_on = l.booked_on AND c.amount = l.net
   AND c.nth = l.nth
  LEFT JOIN line x ON x.id = l.id
  LEFT JOIN near n ON n.account = x.account AND n.day_no = x.day_no
  WHERE (c.paying = 0 OR (n.credits = 1 AND n.captures = 1))
    AND (l.reference IS NULL OR c.bank_reference IS NULL)
)
SELECT line_id, capture_id, amount,
       'number ' || CAST(nth AS VARCHAR(10)) || ' of the equal credits of that day' AS why
FROM (SELECT * FROM by_payment UNION ALL SELECT * FROM by_order) found
