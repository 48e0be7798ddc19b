-- The same account, day, amount and the bank's own reference: one movement (CONTRACT 6).
-- Proves: the credit that a notice reported is on the bank's statement. The n-th of equals is the
-- n-th of equals, so two real credits that look alike stay two.
WITH credit AS (
  SELECT l.*, a.provider_account, row_number() OVER (
    PARTITION BY l.account, l.booked_on, l.net, l.reference ORDER BY l.line_no, l.id) AS nth
  FROM line l JOIN bank_account a ON a.account = l.account
  WHERE l.source = 'statement' AND l.net > 0 AND l.reference IS NOT NULL
), taken AS (
  SELECT c.*, row_number() OVER (
    PARTITION BY c.provider_account, c.value_on, c.amount, c.bank_reference
    ORDER BY c.paid_at, c.id) AS nth
  FROM capture c WHERE c.is_transfer AND c.bank_reference IS NOT NULL
)
SELECT l.id AS line_id, c.id AS capture_id, l.net AS amount,
       'the bank''s reference ' || l.reference || ', day and amount agree' AS why
FROM credit l
JOIN taken c ON c.provider_account = l.provider_account AND c.bank_reference = l.reference
 AND c.amount = l.net AND c.value_on = l.booked_on AND c.nth = l.nth
