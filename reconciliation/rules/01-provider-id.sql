-- The provider's own transaction id names the capture, and both say the same amount.
-- Proves: what the provider reports is what we booked, once. A line that stands there twice proves
-- once, the line that came first.
WITH told AS (
  SELECT l.id, l.txn_id, l.gross, l.booked_on, c.id AS capture_id, c.value_on,
         row_number() OVER (PARTITION BY c.id ORDER BY l.id) AS nth
  FROM line l
  JOIN capture c ON c.provider_account = l.account AND c.txn_id = l.txn_id AND c.amount = l.gross
  WHERE l.source = 'provider' AND l.kind = 'payment'
)
SELECT t.id AS line_id, t.capture_id, t.gross AS amount,
       'the provider''s transaction ' || t.txn_id || ' is this capture'
       || CASE WHEN t.booked_on <> t.value_on THEN ', on another day (cut-off)' ELSE '' END AS why
FROM told t WHERE t.nth = 1
