-- The treasury's document names no obligation, but its number (so tham chieu) or its text names one
-- payment, and the amount is what is due on that budget line.
-- Proves: this payment's money is with the treasury. Where the text may mean several payments, or
-- several documents one payment, nothing is matched.
WITH named AS (
  SELECT l.id AS line_id, p.id AS payment_id, l.budget_line, l.net
  FROM line l
  JOIN candidate n ON n.line_id = l.id
  JOIN payment p ON p.reference = n.reference
  WHERE l.source = 'treasury' AND l.obligation_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
  UNION
  SELECT l.id, p.id, l.budget_line, l.net
  FROM line l
  JOIN payment p ON p.reference = l.reference
  WHERE l.source = 'treasury' AND l.obligation_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
), pair AS (
  SELECT n.line_id, d.capture_id, n.net, count(*) OVER (PARTITION BY n.line_id) AS of_line,
         count(*) OVER (PARTITION BY d.payment_id, d.budget_line) AS of_due
  FROM named n
  JOIN due d ON d.payment_id = n.payment_id AND d.budget_line = n.budget_line AND d.amount = n.net
  WHERE NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                    WHERE m.capture_id = d.capture_id AND x.source = 'treasury'
                      AND (x.obligation_id IS NULL OR x.obligation_id = d.payment_id)
                      AND x.budget_line = d.budget_line)
)
SELECT line_id, capture_id, net AS amount, 'the treasury''s document names this payment' AS why
FROM pair WHERE of_line = 1 AND of_due = 1
