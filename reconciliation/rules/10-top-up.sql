-- A credit by which the agency makes the providers' charges good, of no more than it has still to
-- make good: a payer may write the same words. What an earlier run booked stays so.
-- Proves: charges are funded by the agency, and never out of the budget's money.
WITH booked AS (
  -- Of a batch in several deposits the first carries the charges, for all of them.
  SELECT DISTINCT m.capture_id FROM matched m JOIN owed_by_agency o ON o.voucher = m.line_id
  WHERE m.rule IN ('05-batch', '05-payout-parts', '05-payout-unnamed')
), fresh AS (
  SELECT DISTINCT c.provider_account AS account, l.reference AS batch
  FROM matched m
  JOIN line l ON l.id = m.line_id
  JOIN capture c ON c.id = m.capture_id
  WHERE m.rule IN ('05-batch', '05-payout-parts')
    AND NOT EXISTS (SELECT 1 FROM booked b WHERE b.capture_id = m.capture_id)
  UNION
  SELECT r.account, coalesce(r.batch_id, 'day ' || CAST(r.value_no AS VARCHAR(10)))
  FROM matched m
  JOIN matched w ON w.capture_id = m.capture_id AND w.rule = '01-provider-id'
  JOIN line r ON r.id = w.line_id
  WHERE m.rule = '05-payout-unnamed'
    AND NOT EXISTS (SELECT 1 FROM booked b WHERE b.capture_id = m.capture_id)
), told AS (
  SELECT DISTINCT l.account, l.kind, l.gross,
         CASE l.kind WHEN 'payment' THEN l.txn_id ELSE l.reference END AS name
  FROM line l JOIN matched m ON m.line_id = l.id
  WHERE l.source = 'provider'
), bill AS (
  SELECT coalesce((SELECT sum(amount) FROM owed_by_agency), 0)
       + coalesce((SELECT sum(CASE l.kind WHEN 'charge' THEN -l.net ELSE l.fee END)
                   FROM fresh f
                   JOIN line l ON l.source = 'provider' AND l.account = f.account
                    AND coalesce(l.batch_id, 'day ' || CAST(l.value_no AS VARCHAR(10))) = f.batch
                   LEFT JOIN told t
                     ON t.account = l.account AND t.kind = l.kind AND t.gross = l.gross
                    AND t.name = CASE l.kind WHEN 'payment' THEN l.txn_id ELSE l.reference END
                   -- As 05-batch counts: what proves nothing yet was charged for all the same.
                   WHERE t.account IS NULL
                      OR EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)), 0) AS amount
), asked AS (
  SELECT DISTINCT l.id, l.net, l.day_no, l.line_no, o.voucher IS NOT NULL AS is_booked
  FROM line l
  JOIN mark k ON k.line_id = l.id AND k.kind = 'top_up'
  LEFT JOIN owed_by_agency o ON o.voucher = l.id
  WHERE l.source = 'statement' AND l.net > 0
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
    AND (o.voucher IS NOT NULL OR NOT EXISTS (SELECT 1 FROM candidate n WHERE n.line_id = l.id))
), counted AS (
  SELECT a.*, b.amount AS bill, sum(CASE WHEN a.is_booked THEN 0 ELSE a.net END)
         OVER (ORDER BY a.day_no, a.line_no, a.id ROWS UNBOUNDED PRECEDING) AS so_far
  FROM asked a CROSS JOIN bill b
  WHERE a.is_booked OR a.net <= b.amount
)
SELECT id AS line_id, CAST(NULL AS VARCHAR(40)) AS capture_id, net AS amount,
       'the agency makes charges good' AS why
FROM counted WHERE is_booked OR so_far <= bill
