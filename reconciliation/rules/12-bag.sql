-- A credit that names a deposit bag, in its text or as its reference, of as much cash as left in it;
-- the float went back to the safe.
-- Proves: the cash of that shift is at the bank, with every payment that was taken in it. The same
-- bag again is no match, nor is a credit that may be two bags.
WITH pair AS (
  SELECT l.id AS line_id, l.net, b.id AS bag_id, b.bag
  FROM line l JOIN bag b ON b.number = l.batch_id AND b.amount = l.net
  WHERE l.source = 'statement' AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
  UNION
  SELECT l.id, l.net, b.id, b.bag
  FROM line l JOIN bag_named r ON r.line_id = l.id
  JOIN bag b ON b.number = r.number AND b.amount = l.net
  WHERE l.source = 'statement' AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
), counted AS (
  SELECT *, row_number() OVER (PARTITION BY bag_id ORDER BY line_id) AS nth,
         count(*) OVER (PARTITION BY line_id) AS of_line
  FROM pair
)
SELECT n.line_id, i.capture_id, coalesce(i.amount, n.net) AS amount,
       'the bank counted what left in bag ' || n.bag AS why
FROM counted n
LEFT JOIN in_bag i ON i.bag_id = n.bag_id
WHERE n.nth = 1 AND n.of_line = 1
