-- A lump by budget line equals what one day collected on that line and no obligation names.
-- Proves: the day's money on that line is with the treasury. Equal sums are taken in order of time,
-- where there are as many days as lumps, or were when the lump came: else one of them is missing. Where
-- fewer than half of a line's lumps fit, one that does fits by chance: sums of a few tariffs repeat.
-- What an earlier run matched stays so, and its day's money is confirmed no second time.
WITH confirmed AS (
  SELECT m.capture_id, l.budget_line FROM matched m JOIN line l ON l.id = m.line_id
  WHERE m.rule IN ('08-reference', '09-lump')
), rest AS (
  SELECT d.* FROM due d
  WHERE NOT EXISTS (
    SELECT 1 FROM line l WHERE l.source = 'treasury' AND l.obligation_id = d.payment_id
     AND l.budget_line = d.budget_line)
    AND NOT EXISTS (SELECT 1 FROM confirmed c
                    WHERE c.capture_id = d.capture_id AND c.budget_line = d.budget_line)
), by_day AS (
  SELECT budget_line, day_no, sum(amount) AS amount, count(*) AS payments
  FROM rest GROUP BY budget_line, day_no
), day_nth AS (
  SELECT *, row_number() OVER (PARTITION BY budget_line, amount ORDER BY day_no) AS nth,
         count(*) OVER (PARTITION BY budget_line, amount) AS days
  FROM by_day
), lump AS (
  SELECT l.*, row_number() OVER (
    PARTITION BY l.budget_line, l.net ORDER BY l.booked_on, l.line_no, l.id) AS nth,
         count(*) OVER (PARTITION BY l.budget_line, l.net) AS lumps
  FROM line l WHERE l.source = 'treasury' AND l.obligation_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
), fitting AS (
  SELECT budget_line, count(*) AS lumps, sum(fits) AS fit FROM (
    SELECT l.budget_line, CASE WHEN d.day_no IS NOT NULL THEN 1 ELSE 0 END AS fits
    FROM lump l
    LEFT JOIN day_nth d ON d.budget_line = l.budget_line AND d.amount = l.net AND d.nth = l.nth
     AND d.day_no <= l.day_no
    UNION ALL
    SELECT l.budget_line, 1 FROM line l
    WHERE l.id IN (SELECT m.line_id FROM matched m WHERE m.rule = '09-lump')) each_lump
  GROUP BY budget_line
)
SELECT l.id AS line_id, r.capture_id, r.amount,
       'the lump on budget line ' || l.budget_line || ' is the sum of '
       || CAST(d.payments AS VARCHAR(10)) || ' payments of one day' AS why
FROM lump l
JOIN day_nth d ON d.budget_line = l.budget_line AND d.amount = l.net AND d.nth = l.nth
 AND d.day_no <= l.day_no
LEFT JOIN day_nth n ON n.budget_line = l.budget_line AND n.amount = l.net AND n.nth = l.nth + 1
JOIN rest r ON r.budget_line = d.budget_line AND r.day_no = d.day_no
JOIN fitting f ON f.budget_line = l.budget_line AND f.fit * 2 >= f.lumps
WHERE d.days = l.lumps OR n.day_no IS NULL OR n.day_no > l.day_no
