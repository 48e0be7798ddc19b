-- The treasury confirms one obligation in several documents, that together are what is due on it.
-- Proves: this payment's money is with the treasury, in instalments. Short of the whole, or beyond it,
-- nothing is matched. A document that stands there twice counts once.
WITH named AS (
  SELECT l.*, row_number() OVER (
    PARTITION BY l.obligation_id, l.budget_line, l.reference ORDER BY l.line_no, l.id) AS nth
  FROM line l
  WHERE l.source = 'treasury' AND l.obligation_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
), together AS (
  SELECT obligation_id, budget_line, sum(net) AS net, count(*) AS parts
  FROM named WHERE nth = 1 GROUP BY obligation_id, budget_line HAVING count(*) > 1
)
SELECT n.id AS line_id, d.capture_id, n.net AS amount,
       'one of ' || CAST(t.parts AS VARCHAR(10)) || ' documents that add up to what is due' AS why
FROM together t
JOIN due d ON d.payment_id = t.obligation_id AND d.budget_line = t.budget_line AND d.amount = t.net
JOIN named n ON n.obligation_id = t.obligation_id AND n.budget_line = t.budget_line AND n.nth = 1
WHERE NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                  WHERE x.source = 'treasury' AND x.obligation_id = t.obligation_id
                    AND x.budget_line = t.budget_line)
  AND NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                  WHERE m.capture_id = d.capture_id AND x.source = 'treasury'
                    AND x.obligation_id IS NULL AND x.budget_line = d.budget_line)
