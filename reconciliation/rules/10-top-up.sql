-- A credit by which the agency makes the providers' charges good.
-- Proves: charges are funded by the agency, and never out of the budget's money.
SELECT l.id AS line_id, CAST(NULL AS VARCHAR(40)) AS capture_id, l.net AS amount,
       'the agency makes charges good' AS why
FROM line l JOIN mark k ON k.line_id = l.id AND k.kind = 'top_up'
WHERE l.source = 'statement' AND l.net > 0
