-- A charge that the provider lists in a batch of its own report.
-- Proves: the line is part of a batch whose total the payout is compared with.
SELECT l.id AS line_id, CAST(NULL AS VARCHAR(40)) AS capture_id, abs(l.net) AS amount,
       'a declared charge of batch ' || l.batch_id AS why
FROM line l
WHERE l.source = 'provider' AND l.kind = 'charge' AND l.batch_id IS NOT NULL
