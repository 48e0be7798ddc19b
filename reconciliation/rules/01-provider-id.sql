-- The provider's own transaction id names the capture, and both say the same amount.
-- Proves: what the provider reports is what we booked, once.
SELECT l.id AS line_id, c.id AS capture_id, l.gross AS amount,
       'the provider''s transaction ' || l.txn_id || ' is this capture'
       || CASE WHEN l.booked_on <> c.value_on THEN ', on another day (cut-off)' ELSE '' END AS why
FROM line l
JOIN capture c ON c.provider_account = l.account AND c.txn_id = l.txn_id AND c.amount = l.gross
WHERE l.source = 'provider' AND l.kind = 'payment'
