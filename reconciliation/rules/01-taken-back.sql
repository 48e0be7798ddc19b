-- The provider lists a refund by our own name of it, or a reversal by its name of the quarrel.
-- Proves: the batch is smaller by money that went back to its payer, and not by anything else.
SELECT l.id AS line_id, b.capture_id, l.gross AS amount,
       'the provider lists our ' || b.kind || ' ' || b.reference AS why
FROM line l
JOIN taken_back b ON b.provider_account = l.account AND b.kind = l.kind
 AND b.reference = l.reference AND b.amount = -l.gross
WHERE l.source = 'provider' AND l.kind IN ('refund', 'reversal')
