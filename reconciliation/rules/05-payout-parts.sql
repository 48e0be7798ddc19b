-- Several deposits name one settlement batch, and together they are what its report says, net of the
-- charges.
-- Proves: the captures of the batch have arrived, though the bank paid it in parts. Each capture is
-- claimed by the first part; which of them is in which part nobody says. A batch that one deposit
-- explains is left to that.
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
  WHERE l.proved IS NOT NULL OR t.account IS NULL
), batch AS (
  SELECT account, batch_id, sum(net) AS net, min(capture_id) AS first_capture
  FROM counted WHERE batch_id IS NOT NULL GROUP BY account, batch_id
), part AS (
  SELECT l.id, l.net, b.account, b.batch_id, b.net AS whole, b.first_capture,
         sum(l.net) OVER (PARTITION BY b.account, b.batch_id) AS together,
         count(*) OVER (PARTITION BY b.account, b.batch_id) AS parts,
         count(*) OVER (PARTITION BY l.id) AS accounts,
         row_number() OVER (PARTITION BY b.account, b.batch_id ORDER BY l.day_no, l.line_no, l.id)
         AS nth
  FROM line l
  JOIN mark k ON k.line_id = l.id AND k.kind = 'payout'
  JOIN batch b ON b.account = k.provider_account AND b.batch_id = l.reference
  WHERE l.source = 'statement' AND l.net > 0
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
    AND NOT EXISTS (SELECT 1 FROM line x JOIN mark y ON y.line_id = x.id AND y.kind = 'payout'
                    JOIN matched m ON m.line_id = x.id
                    WHERE x.reference = b.batch_id AND y.provider_account = b.account)
)
SELECT p.id AS line_id, CASE WHEN p.nth = 1 THEN r.capture_id ELSE p.first_capture END AS capture_id,
       CASE WHEN p.nth = 1 THEN r.gross ELSE p.net END AS amount,
       'part ' || CAST(p.nth AS VARCHAR(10)) || ' of ' || CAST(p.parts AS VARCHAR(10))
       || ' deposits that add up to batch ' || p.batch_id AS why
FROM part p
JOIN counted r ON r.account = p.account AND r.batch_id = p.batch_id AND r.kind = 'payment'
 AND r.capture_id IS NOT NULL AND (p.nth = 1 OR r.capture_id = p.first_capture)
WHERE p.parts > 1 AND p.together = p.whole AND p.accounts = 1
