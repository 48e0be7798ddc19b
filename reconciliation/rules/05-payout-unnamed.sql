-- A payout that names no batch of its report, and one, two or three whole batches that nobody paid
-- out yet, of the five days before it, that are together what came. Lines without a batch are taken
-- by the day on which the provider settles them.
-- Proves: these batches are that payout, because no other choice of them is: where two choices fit,
-- or two payouts want one batch, or nothing in a batch is ours, nothing is matched. What an earlier
-- run matched stays so. Work is bounded: with more than 20 such batches in the window nothing is tried.
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
  SELECT account, coalesce(batch_id, 'day ' || CAST(value_no AS VARCHAR(10))) AS name, sum(net) AS net,
         max(value_no) AS value_no,
         max(CASE WHEN kind = 'payment' AND capture_id IS NOT NULL THEN 1 ELSE 0 END) AS is_ours
  FROM counted
  GROUP BY account, coalesce(batch_id, 'day ' || CAST(value_no AS VARCHAR(10)))
), paid AS (
  SELECT DISTINCT k.provider_account AS account, l.reference AS name
  FROM line l
  JOIN mark k ON k.line_id = l.id AND k.kind = 'payout'
  JOIN matched m ON m.line_id = l.id
  WHERE l.source = 'statement'
  UNION
  SELECT r.account, coalesce(r.batch_id, 'day ' || CAST(r.value_no AS VARCHAR(10)))
  FROM matched m
  JOIN counted r ON r.capture_id = m.capture_id AND r.kind = 'payment'
  WHERE m.rule = '05-payout-unnamed'
), wanted AS (
  SELECT l.id, l.net, l.day_no, k.provider_account AS account
  FROM line l
  JOIN mark k ON k.line_id = l.id AND k.kind = 'payout'
  LEFT JOIN batch b ON b.account = k.provider_account AND b.name = l.reference
  WHERE l.source = 'statement' AND l.net > 0 AND b.name IS NULL
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
), possible AS (
  SELECT w.id, w.net AS wanted, b.account, b.name, b.net,
         count(*) OVER (PARTITION BY w.id, b.account) AS batches
  FROM wanted w
  JOIN batch b ON b.account = w.account AND b.value_no BETWEEN w.day_no - 5 AND w.day_no
  LEFT JOIN paid p ON p.account = b.account AND p.name = b.name
  WHERE p.name IS NULL
), near AS (
  SELECT * FROM possible WHERE batches <= 20
), choice AS (
  SELECT id, account, name AS a, CAST(NULL AS VARCHAR(140)) AS b, CAST(NULL AS VARCHAR(140)) AS c
  FROM near WHERE net = wanted
  UNION ALL
  SELECT x.id, x.account, x.name, y.name, CAST(NULL AS VARCHAR(140))
  FROM near x
  JOIN near y ON y.id = x.id AND y.account = x.account AND y.name > x.name
  WHERE x.net + y.net = x.wanted
  UNION ALL
  SELECT x.id, x.account, x.name, y.name, z.name
  FROM near x
  JOIN near y ON y.id = x.id AND y.account = x.account AND y.name > x.name
  JOIN near z ON z.id = x.id AND z.account = x.account AND z.name > y.name
  WHERE x.net + y.net + z.net = x.wanted
), sole AS (
  SELECT * FROM (SELECT *, count(*) OVER (PARTITION BY id) AS choices FROM choice) found
  WHERE choices = 1
), chosen AS (
  SELECT id, account, name, count(*) OVER (PARTITION BY account, name) AS claims FROM (
    SELECT id, account, a AS name FROM sole
    UNION ALL SELECT id, account, b FROM sole WHERE b IS NOT NULL
    UNION ALL SELECT id, account, c FROM sole WHERE c IS NOT NULL) parts
), sure AS (
  SELECT * FROM chosen x WHERE NOT EXISTS (
    SELECT 1 FROM chosen y JOIN batch b ON b.account = y.account AND b.name = y.name
    WHERE y.id = x.id AND (y.claims > 1 OR b.is_ours = 0))
)
SELECT s.id AS line_id, r.capture_id, r.gross AS amount,
       'only batch ' || s.name || ' and those chosen with it add up to the payout' AS why
FROM sure s
JOIN counted r ON r.account = s.account AND r.kind = 'payment' AND r.capture_id IS NOT NULL
 AND coalesce(r.batch_id, 'day ' || CAST(r.value_no AS VARCHAR(10))) = s.name
