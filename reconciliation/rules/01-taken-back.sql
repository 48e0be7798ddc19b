-- The provider lists a refund by our own name of it, or a reversal by its name of the quarrel.
-- Proves: the batch is smaller by money that went back to its payer, and not by anything else. A
-- line that stands there twice proves once; two part refunds have two names.
WITH told AS (
  SELECT l.id, l.gross, b.capture_id, b.kind, b.reference,
         row_number() OVER (PARTITION BY b.id ORDER BY l.id) AS nth
  FROM line l
  JOIN taken_back b ON b.provider_account = l.account AND b.kind = l.kind
   AND b.reference = l.reference AND b.amount = -l.gross
  WHERE l.source = 'provider' AND l.kind IN ('refund', 'reversal')
)
SELECT t.id AS line_id, t.capture_id, t.gross AS amount,
       'the provider lists our ' || t.kind || ' ' || t.reference AS why
FROM told t WHERE t.nth = 1
