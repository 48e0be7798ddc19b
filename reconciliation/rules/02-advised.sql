-- A line that was read as a word for a transfer, when it was looked for among credits that look alike.
-- Proves: what was decided once stays so, whatever comes later; each capture is on the statement once.
WITH pair AS (
  SELECT l.id AS line_id, c.id AS capture_id, l.net AS amount,
         row_number() OVER (PARTITION BY c.id ORDER BY l.id) AS nth
  FROM line l
  JOIN advised a ON a.line_id = l.id
  JOIN capture c ON c.id = a.capture_id AND c.amount = l.net
)
SELECT line_id, capture_id, amount, 'placed among the equal credits of its day' AS why
FROM pair WHERE nth = 1
