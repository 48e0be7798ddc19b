-- A credit that names a deposit bag, of as much cash as left in it; the float went back to the safe.
-- Proves: the cash of that shift is at the bank. The same bag again is no match.
WITH named AS (
  SELECT l.id, l.net, b.bag, row_number() OVER (
    PARTITION BY b.bag ORDER BY l.booked_on, l.line_no, l.id) AS nth
  FROM line l
  JOIN bag b ON b.bag = l.reference AND b.amount = l.net
  WHERE l.source = 'statement' AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
)
SELECT n.id AS line_id, CAST(NULL AS VARCHAR(40)) AS capture_id, n.net AS amount,
       'the bank counted what left in bag ' || n.bag AS why
FROM named n
WHERE n.nth = 1
