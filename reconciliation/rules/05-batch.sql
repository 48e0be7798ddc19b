-- A payout names a settlement batch, and it is what the provider's report says, net of the charges
-- that the report declares.
-- Proves: the captures of the batch have arrived at the bank, one by one.
WITH batch AS (
  SELECT account, batch_id, sum(net) AS net, count(*) AS lines
  FROM line WHERE source = 'provider' AND batch_id IS NOT NULL GROUP BY account, batch_id
  HAVING sum(net) = sum(gross) - sum(fee)
), payout AS (
  SELECT l.id, b.account, b.batch_id, b.lines
  FROM line l
  JOIN mark k ON k.kind = 'payout' AND l.memo LIKE '%' || k.text || '%'
  JOIN batch b ON b.account = k.provider_account AND b.batch_id = l.reference AND b.net = l.net
  WHERE l.source = 'statement' AND l.net > 0
)
SELECT p.id AS line_id, m.capture_id, r.gross AS amount,
       'batch ' || p.batch_id || ': ' || CAST(p.lines AS VARCHAR(10))
       || ' lines, net of charges, equal the payout' AS why
FROM payout p
JOIN line r ON r.source = 'provider' AND r.account = p.account AND r.batch_id = p.batch_id
 AND r.kind = 'payment'
JOIN matched m ON m.line_id = r.id
WHERE NOT EXISTS (
  SELECT 1 FROM line x WHERE x.source = 'provider' AND x.account = p.account
   AND x.batch_id = p.batch_id AND x.kind <> 'charge'
   AND NOT EXISTS (SELECT 1 FROM matched y WHERE y.line_id = x.id))
