-- Which payment a transfer's text names: where it carries one whole reference of ours, and no other
-- beginning of one, at once; damaged or doubtful ones are read symbol by symbol.
CREATE TEMP TABLE unread AS
SELECT memo FROM word WHERE memo <> ''
UNION
SELECT memo FROM line WHERE memo <> ''
 AND (id IN (SELECT source_id FROM evidence WHERE source = 'statement')
      OR source = 'statement' AND net IN (SELECT said FROM decided_part));
INSERT INTO memo_named
SELECT u.memo, p.id
FROM (SELECT memo, regexp_replace(folded(memo), '[^0-9A-Z]', '', 'g') AS packed FROM unread) u
JOIN payment p ON p.reference = regexp_extract(u.packed, 'TP([0-9A-Z]{12})', 1)
WHERE len(regexp_extract_all(u.packed, 'TP')) = 1;
DELETE FROM unread WHERE memo IN (SELECT memo FROM memo_named);
