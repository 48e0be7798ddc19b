-- A payout names a settlement batch, and it is what the provider's report says, net of the charges
-- that the report declares.
-- Proves: the captures of the batch have arrived at the bank, one by one. A line that stands twice
-- in the report counts once. Where two accounts of the provider have such a batch nothing is matched:
-- whose payout it is, nobody knows.
WITH listed AS (
  SELECT l.*, m.line_id AS proved, m.capture_id,
         CASE l.kind WHEN 'payment' THEN l.txn_id ELSE l.reference END AS name
  FROM line l
  LEFT JOIN matched m ON m.line_id = l.id
  WHERE l.source = 'provider'
), counted AS (
  SELECT l.* FROM listed l
  LEFT JOIN (SELECT DISTINCT account, kind, gross, name FROM listed WHERE proved IS NOT NULL) t
    ON t.account = l.account AND t.kind = l.kind AND t.gross = l.gross AND t.name = l.name
  WHERE l.batch_id IS NOT NULL AND (l.proved IS NOT NULL OR t.account IS NULL)
), batch AS (
  SELECT account, batch_id, sum(net) AS net, count(*) AS lines
  FROM counted GROUP BY account, batch_id
  HAVING sum(net) = sum(gross) - sum(fee)
), fitting AS (
  SELECT l.id, b.account, b.batch_id, b.lines, count(*) OVER (PARTITION BY l.id) AS accounts
  FROM line l
  JOIN mark k ON k.line_id = l.id AND k.kind = 'payout'
  JOIN batch b ON b.account = k.provider_account AND b.batch_id = l.reference AND b.net = l.net
  WHERE l.source = 'statement' AND l.net > 0
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
), payout AS (
  SELECT * FROM fitting WHERE accounts = 1
)
SELECT p.id AS line_id, r.capture_id, r.gross AS amount,
       'batch ' || p.batch_id || ': ' || CAST(p.lines AS VARCHAR(10))
       || ' lines, net of charges, equal the payout' AS why
FROM payout p
JOIN counted r ON r.account = p.account AND r.batch_id = p.batch_id AND r.kind = 'payment'
WHERE r.capture_id IS NOT NULL
