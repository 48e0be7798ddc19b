-- The account's business day and the amount, where one side does not know the bank's reference.
-- Proves: a transfer after the cut-off or on a day off is on the statement of the business day that
-- the account's setting names. The n-th of equal credits is the n-th capture where no payment has
-- those captures yet; a paid one must be all that is open on the account within three days.
WITH credit AS (
  SELECT l.*, row_number() OVER (
    PARTITION BY l.account, l.booked_on, l.net ORDER BY l.line_no, l.id) AS nth
  FROM line l
  WHERE l.source = 'statement' AND l.net > 0
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
    AND NOT EXISTS (SELECT 1 FROM mark k WHERE k.line_id = l.id)
), taken AS (
  SELECT c.*, row_number() OVER (
    PARTITION BY c.bank_account, c.business_on, c.amount ORDER BY c.paid_at, c.id) AS nth,
         count(s.capture_id) OVER (PARTITION BY c.bank_account, c.business_on, c.amount) AS paying
  FROM capture c
  LEFT JOIN (SELECT DISTINCT capture_id FROM share) s ON s.capture_id = c.id
  WHERE c.bank_account IS NOT NULL AND c.business_on <> c.value_on
    AND NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                    WHERE m.capture_id = c.id AND x.source = 'statement')
), open_day AS (
  SELECT account, day_no, sum(credits) AS credits, sum(captures) AS captures FROM (
    SELECT l.account, l.day_no, count(*) AS credits, 0 AS captures
    FROM line l
    WHERE l.source = 'statement' AND l.net > 0
      AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
      AND NOT EXISTS (SELECT 1 FROM mark k WHERE k.line_id = l.id)
    GROUP BY l.account, l.day_no
    UNION ALL
    SELECT c.bank_account, c.day_no, 0, count(*)
    FROM capture c
    JOIN (SELECT account, max(day_no) AS upto FROM line WHERE source = 'statement'
          GROUP BY account) b ON b.account = c.bank_account AND b.upto >= c.day_no
    WHERE NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                      WHERE m.capture_id = c.id AND x.source = 'statement')
    GROUP BY c.bank_account, c.day_no) each_side
  GROUP BY account, day_no
), near AS (
  SELECT account, day_no, sum(credits) OVER (PARTITION BY account ORDER BY day_no
           RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING) AS credits,
         sum(captures) OVER (PARTITION BY account ORDER BY day_no
           RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING) AS captures
  FROM open_day
)
SELECT l.id AS line_id, c.id AS capture_id, l.net AS amount,
       'number ' || CAST(l.nth AS VARCHAR(10)) || ' of the equal credits of its business day' AS why
FROM credit l
JOIN taken c ON c.bank_account = l.account AND c.amount = l.net
 AND c.business_on = l.booked_on AND c.nth = l.nth
LEFT JOIN near n ON n.account = l.account AND n.day_no = l.day_no
WHERE (c.paying = 0 OR (n.credits = 1 AND n.captures = 1))
  AND (l.reference IS NULL OR c.bank_reference IS NULL)
  AND NOT EXISTS (SELECT 1 FROM candidate n WHERE n.line_id = l.id)
