-- The treasury names the obligation: the payment, its budget line and the amount due on it.
-- Proves: this payment's money is with the treasury. The same obligation again is no match, nor is one
-- that an earlier run confirmed by another document.
WITH named AS (
  SELECT l.*, row_number() OVER (
    PARTITION BY l.obligation_id, l.budget_line ORDER BY l.booked_on, l.line_no, l.id) AS nth
  FROM line l WHERE l.source = 'treasury' AND l.obligation_id IS NOT NULL
)
SELECT l.id AS line_id, d.capture_id, l.net AS amount,
       'the treasury names this payment and budget line ' || l.budget_line AS why
FROM named l
JOIN due d ON d.payment_id = l.obligation_id AND d.budget_line = l.budget_line AND d.amount = l.net
WHERE l.nth = 1
  AND NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                  WHERE m.capture_id = d.capture_id AND x.source = 'treasury'
                    AND x.budget_line = d.budget_line
                    AND (x.obligation_id IS NULL OR x.obligation_id = d.payment_id))
