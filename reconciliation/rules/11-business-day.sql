-- The account's business day and the amount, where one side does not know the bank's reference.
-- Proves: a transfer after the cut-off or on a day off is on the statement of the business day that
-- the account's setting names; as many equal credits as such captures, the n-th is the n-th.
WITH credit AS (
  SELECT l.*, row_number() OVER (
    PARTITION BY l.account, l.booked_on, l.net ORDER BY l.line_no, l.id) AS nth
  FROM line l
  WHERE l.source = 'statement' AND l.net > 0
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
    AND NOT EXISTS (SELECT 1 FROM mark k WHERE k.line_id = l.id)
), taken AS (
  SELECT c.*, row_number() OVER (
    PARTITION BY c.bank_account, c.business_on, c.amount ORDER BY c.paid_at, c.id) AS nth
  FROM capture c
  WHERE c.bank_account IS NOT NULL AND c.business_on <> c.value_on
    AND NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                    WHERE m.capture_id = c.id AND x.source = 'statement')
)
SELECT l.id AS line_id, c.id AS capture_id, l.net AS amount,
       'number ' || CAST(l.nth AS VARCHAR(10)) || ' of the equal credits of its business day' AS why
FROM credit l
JOIN taken c ON c.bank_account = l.account AND c.amount = l.net
 AND c.business_on = l.booked_on AND c.nth = l.nth
WHERE (l.reference IS NULL OR c.bank_reference IS NULL)
  AND NOT EXISTS (SELECT 1 FROM candidate n WHERE n.line_id = l.id)
