-- A debit to the treasury, and the treasury's lines of that remittance add up to it.
-- Proves: what left the bank is what the treasury says arrived.
WITH arrived AS (
  SELECT batch_id, sum(net) AS net, count(*) AS lines
  FROM line WHERE source = 'treasury' AND batch_id IS NOT NULL GROUP BY batch_id
)
SELECT l.id AS line_id, CAST(NULL AS VARCHAR(40)) AS capture_id, -l.net AS amount,
       'remittance ' || l.reference || ': ' || CAST(a.lines AS VARCHAR(10))
       || ' treasury lines add up to the debit' AS why
FROM line l
JOIN mark k ON k.line_id = l.id AND k.kind = 'remittance'
JOIN arrived a ON a.batch_id = l.reference AND a.net = -l.net
WHERE l.source = 'statement' AND l.net < 0
