-- One movement in overlapping files is one line: the n-th of equals of one file is that of another.
-- Its name is the books' own; what they took it for must be what its file says.
CREATE TABLE again AS
SELECT source, account, name FROM file_line GROUP BY ALL HAVING count(*) > 1;
CREATE TABLE line AS
WITH counted AS (
  SELECT f.*, row_number() OVER (PARTITION BY file_id, source, account, name ORDER BY line_no) AS n
  FROM file_line f SEMI JOIN again USING (source, account, name)
), first AS (
  SELECT *, 1 AS n FROM file_line ANTI JOIN again USING (source, account, name)
  UNION ALL
  SELECT * FROM counted
  QUALIFY row_number() OVER (
    PARTITION BY source, account, name, n ORDER BY taken, file_id, line_no) = 1
)
SELECT coalesce(k.id, f.file_id || ':' || f.line_no) AS id, k.id IS NOT NULL AS is_named,
       coalesce(v.real, f.account) AS account, v.reference AS payment_reference,
       CASE WHEN v.account IS NULL THEN '' ELSE f.account || '|' END || f.name
         || CASE n WHEN 1 THEN '' ELSE '|' || n END AS name,
       f.* EXCLUDE (account, name, n), k.net AS kept_net, k.booked_on AS kept_on,
       k.gross = f.gross AND k.fee = f.fee AND k.net = f.net AND k.booked_on = f.booked_on
         AS is_kept
FROM first f
LEFT JOIN kept_line k ON k.file_id = f.file_id AND k.line_no = f.line_no
LEFT JOIN virtual v ON f.source = 'statement' AND v.account = f.account;
INSERT INTO finding
SELECT 'statement line ' || id || ' is ' || CASE WHEN is_named
       THEN 'kept as ' || kept_net || ' on ' || kept_on || ', its file says ' || net || ' on '
         || booked_on
       ELSE 'in its file, and not in the books' END
FROM line WHERE NOT is_named OR NOT is_kept;
INSERT INTO finding
SELECT 'statement line ' || k.id || ' is in the books, and not in its file'
FROM kept_line k LEFT JOIN line l ON l.id = k.id
WHERE l.id IS NULL AND k.file_id IN (SELECT file_id FROM file_line);
-- The words by which a bank tells what is no citizen's transfer, in the direction of their kind; a
-- text with a whole payment reference is a payer's.
CREATE TABLE marked AS
SELECT l.id AS line_id, k.kind, k.provider, k.words FROM line l
JOIN mark k ON contains(folded(l.memo), k.words)
WHERE l.source = 'statement' AND (l.net < 0) = (k.kind = 'remittance');
