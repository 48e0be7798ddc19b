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
-- One movement that the bank lists twice by its own number is one.
UPDATE line SET is_plain = false WHERE id IN (
  SELECT id FROM line WHERE source = 'statement' AND 'id|' || txn_id IN (SELECT name FROM again)
  QUALIFY row_number() OVER (PARTITION BY account, txn_id, net ORDER BY id) > 1);
-- Which payments a document of the treasury names, by its own number or in its text: it may be several.
CREATE TABLE document_named AS
SELECT l.id AS line_id, p.id AS payment_id FROM line l JOIN payment p ON p.reference = l.reference
WHERE l.source = 'treasury' AND l.obligation IS NULL
UNION
SELECT l.id, m.payment_id FROM line l JOIN memo_named m ON m.memo = l.memo AND m.is_line
WHERE l.source = 'treasury' AND l.obligation IS NULL;
