-- The same account, day, amount and the bank's own reference: one movement (CONTRACT 6).
-- Proves: the credit that a notice reported is on the bank's statement. The n-th of equals is the
-- n-th of equals, so two real credits that look alike stay two.
WITH credit AS (
  SELECT l.*, row_number() OVER (
    PARTITION BY l.account, l.booked_on, l.net, l.reference ORDER BY l.line_no, l.id) AS nth
  FROM line l
  WHERE l.source = 'statement' AND l.net > 0 AND l.reference IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
), taken AS (
  SELECT c.*, row_number() OVER (
    PARTITION BY c.bank_account, c.value_on, c.amount, c.bank_reference
    ORDER BY c.paid_at, c.id) AS nth
  FROM capture c WHERE c.bank_account IS NOT NULL AND c.bank_reference IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.capture_id = c.id
                    AND m.rule = '02-advised')
)
SELECT l.id AS line_id, c.id AS capture_id, l.net AS amount,
       'the bank''s reference ' || l.reference || ', day and amount agree' AS why
FROM credit l
JOIN taken c ON c.bank_account = l.account AND c.bank_reference = l.reference
 AND c.amount = l.net AND c.value_on = l.booked_on AND c.nth = l.nth
