-- A credit that names nothing, and the one capture that has no credit.
-- Proves: the transfer lost its text on the way. Amount and day never name a payer by themselves, so
-- within three days either way nothing else may be open on the account, of whatever amount, and no
-- more than one of each; with more open, each stays open.
WITH credit AS (
  SELECT l.* FROM line l
  WHERE l.source = 'statement' AND l.net > 0
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
    AND NOT EXISTS (SELECT 1 FROM mark k WHERE k.line_id = l.id)
), taken AS (
  SELECT c.* FROM capture c
  JOIN (SELECT account, max(day_no) AS upto FROM line WHERE source = 'statement'
        GROUP BY account) b ON b.account = c.bank_account AND b.upto >= c.day_no
  WHERE NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                    WHERE m.capture_id = c.id AND x.source = 'statement')
), open_day AS (
  SELECT account, day_no, sum(credits) AS credits, sum(captures) AS captures FROM (
    SELECT account, day_no, count(*) AS credits, 0 AS captures
    FROM credit GROUP BY account, day_no
    UNION ALL
    SELECT bank_account, day_no, 0, count(*) FROM taken GROUP BY bank_account, day_no) each_side
  GROUP BY account, day_no
), near AS (
  SELECT account, day_no, sum(credits) OVER (PARTITION BY account ORDER BY day_no
           RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING) AS credits,
         sum(captures) OVER (PARTITION BY account ORDER BY day_no
           RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING) AS captures
  FROM open_day
)
SELECT l.id AS line_id, c.id AS capture_id, l.net AS amount,
       'no other credit or capture is open on the account within 3 days' AS why
FROM credit l
JOIN near n ON n.account = l.account AND n.day_no = l.day_no AND n.credits = 1 AND n.captures = 1
JOIN taken c ON c.bank_account = l.account AND c.amount = l.net
 AND l.day_no BETWEEN c.day_no AND c.business_no + 3 AND l.day_no <= c.day_no + 3
JOIN near k ON k.account = c.bank_account AND k.day_no = c.day_no
 AND k.credits = 1 AND k.captures = 1
WHERE (l.reference IS NULL OR c.bank_reference IS NULL)
  AND NOT EXISTS (SELECT 1 FROM candidate n WHERE n.line_id = l.id)
