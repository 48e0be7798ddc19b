-- A credit whose text names one payment, and one transfer to that payment of the same amount; or
-- the bank's own reference on a neighbouring day.
-- Proves: the credit is that transfer, though the bank writes another day or reference. Where more
-- than one pair is possible nothing is matched: an ambiguous line stays open.
WITH pair AS (
  SELECT DISTINCT l.id AS line_id, c.id AS capture_id, l.net AS amount,
         'the text names the payment ' || n.reference AS why
  FROM line l
  JOIN candidate n ON n.line_id = l.id
  JOIN payment p ON p.reference = n.reference
  JOIN share s ON s.payment_id = p.id
  JOIN capture c ON c.id = s.capture_id AND c.bank_account = l.account AND c.amount = l.net
  WHERE l.source = 'statement' AND l.net > 0
    AND l.day_no BETWEEN c.day_no - 3 AND c.business_no + 3
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
    AND NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                    WHERE m.capture_id = c.id AND x.source = 'statement')
  UNION
  SELECT l.id, c.id, l.net, 'the bank''s reference ' || l.reference || ', on another day (cut-off)'
  FROM line l
  JOIN capture c ON c.bank_account = l.account
   AND c.bank_reference = l.reference AND c.amount = l.net
  WHERE l.source = 'statement' AND l.net > 0
    AND l.day_no BETWEEN c.day_no - 3 AND c.business_no + 3
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
    AND NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                    WHERE m.capture_id = c.id AND x.source = 'statement')
), one_why AS (
  SELECT line_id, capture_id, amount, min(why) AS why FROM pair
  GROUP BY line_id, capture_id, amount
), counted AS (
  SELECT *, count(*) OVER (PARTITION BY line_id) AS of_line,
         count(*) OVER (PARTITION BY capture_id) AS of_capture
  FROM one_why
)
SELECT line_id, capture_id, amount, why
FROM counted WHERE of_line = 1 AND of_capture = 1
