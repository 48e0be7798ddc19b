-- Which payment a text names: where it carries one whole reference of ours, and no other beginning
-- of one, at once; damaged or doubtful ones are read symbol by symbol. A line of a file may have lost
-- or gained a letter, or have two the wrong way round; in a notice no letter is guessed.
CREATE TEMP TABLE unread AS
SELECT memo, false AS is_line FROM word WHERE memo <> ''
UNION
SELECT memo, true FROM line WHERE memo <> ''
 AND (id IN (SELECT source_id FROM evidence WHERE source = 'statement')
      OR source = 'statement' AND net IN (SELECT said FROM decided_part) OR source = 'treasury')
UNION  -- A provider's report may name the payment where it should name the attempt.
SELECT reference, true FROM line WHERE source = 'provider' AND reference <> ''
 AND id IN (SELECT source_id FROM evidence WHERE source = 'provider_report');
INSERT INTO memo_named
SELECT u.memo, u.is_line, p.id
FROM (SELECT *, regexp_replace(folded(memo), '[^0-9A-Z]', '', 'g') AS packed FROM unread) u
JOIN payment p ON p.reference = regexp_extract(u.packed, 'TP([0-9A-Z]{12})', 1)
WHERE len(regexp_extract_all(u.packed, 'TP')) = 1;
DELETE FROM unread WHERE (memo, is_line) IN (SELECT (memo, is_line) FROM memo_named);
