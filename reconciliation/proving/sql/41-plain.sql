-- Marks of a text with a whole reference are gone; what names a bag, and what is a plain credit.
DELETE FROM marked WHERE line_id IN (SELECT line_id FROM referring WHERE is_whole);
CREATE TABLE bag_named AS
SELECT l.id AS line_id, bag_number(split_part(folded(l.memo), k.words, 2)) AS number
FROM line l JOIN marked k ON k.line_id = l.id AND k.kind = 'cash_deposit' WHERE l.net > 0
UNION
SELECT id, bag_number(reference) FROM line
WHERE source = 'statement' AND net > 0 AND reference IS NOT NULL
 AND EXISTS (SELECT 1 FROM shift WHERE bag <> '');
ALTER TABLE line ADD COLUMN is_plain BOOLEAN;
UPDATE line SET is_plain = source = 'statement' AND net > 0
  AND id NOT IN (SELECT line_id FROM marked)
  AND id NOT IN (SELECT n.line_id FROM bag_named n JOIN shift s ON s.bag = n.number);
