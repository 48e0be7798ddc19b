-- What the truth says of each line, and what the engine said.
CREATE TABLE truth_line AS
SELECT DISTINCT r.n, 'p' || CAST(l.n AS VARCHAR) AS line_id, r.payment_reference, r.class,
       'p' || l.provider_txn_id || l.kind AS name
FROM truth r JOIN provider l ON r.provider_txn_id <> '' AND l.provider_txn_id = r.provider_txn_id
UNION ALL
SELECT DISTINCT r.n, 's' || CAST(l.n AS VARCHAR), r.payment_reference, r.class, 's' || l.line_id
FROM truth r JOIN statement l ON r.statement_line <> '' AND l.line_id = r.statement_line
UNION ALL
SELECT DISTINCT r.n, 't' || CAST(l.n AS VARCHAR), r.payment_reference, r.class,
       't' || l.document_ref || l.obligation_id || l.tieu_muc
FROM truth r JOIN treasury l ON r.treasury_ref <> '' AND l.document_ref = r.treasury_ref
 AND (l.obligation_id = '' OR NOT EXISTS (
   SELECT 1 FROM gateway g WHERE g.payment_id = l.obligation_id AND g.kind <> 'refund'
    AND g.payment_reference <> r.payment_reference) OR r.class = 'wrong_reference');
CREATE TABLE booked AS
SELECT 'c' || CAST(n AS VARCHAR) AS capture_id, payment_reference, amount FROM gateway
WHERE kind = 'capture';
CREATE TABLE claim AS
SELECT DISTINCT m.line_id, b.payment_reference, m.amount, m.rule
FROM matches m LEFT JOIN booked b ON b.capture_id = m.capture_id;
CREATE TABLE odd_claim AS
SELECT c.* FROM claim c
WHERE c.payment_reference IS NOT NULL AND NOT EXISTS (SELECT 1 FROM truth_line t
  WHERE t.line_id = c.line_id AND t.payment_reference = c.payment_reference);
-- Several rows make one group: a line and a payment that a third joins belong together.
CREATE TABLE wrong AS
SELECT c.line_id, c.payment_reference, abs(c.amount) AS amount, c.rule FROM odd_claim c
WHERE NOT EXISTS (
  SELECT 1 FROM truth_line a
  JOIN truth_line b ON b.payment_reference = a.payment_reference AND b.payment_reference <> ''
  JOIN truth_line d ON d.line_id = b.line_id
  WHERE a.line_id = c.line_id AND left(b.line_id, 1) = left(c.line_id, 1)
    AND d.payment_reference = c.payment_reference)
UNION ALL  -- A line of nobody's that a rule took for something else.
SELECT c.line_id, '', abs(c.amount), c.rule FROM claim c
JOIN truth_line t ON t.line_id = c.line_id AND t.class = 'unknown_money'
WHERE c.payment_reference IS NULL
UNION ALL  -- The same line twice, and both were taken.
SELECT line_id, payment_reference, amount, rule FROM (
  SELECT c.*, row_number() OVER (PARTITION BY t.name, c.payment_reference ORDER BY c.line_id) AS nth
  FROM claim c JOIN truth_line t ON t.line_id = c.line_id
   AND t.payment_reference = c.payment_reference AND t.class = 'duplicate') taken WHERE nth > 1;
CREATE TABLE told_break AS
SELECT d.kind, d.line_id, b.payment_reference, d.subject
FROM differences d LEFT JOIN booked b ON b.capture_id = d.capture_id;
-- Each row that should be a break, and whether one of its lines, or its payment, is one of its kind.
CREATE TABLE wanted_break AS
SELECT r.n, r.class, bool_or(d.kind IS NOT NULL) AS is_found FROM truth r
LEFT JOIN (
  SELECT t.n, k.kind FROM truth_line t JOIN told_break k ON k.line_id = t.line_id
  UNION
  SELECT r.n, k.kind FROM truth r JOIN told_break k ON k.payment_reference = r.payment_reference
   AND r.payment_reference <> '') d ON d.n = r.n AND d.kind = r.class
WHERE r.class NOT IN ('matched', 'late', 'cut_off', 'surplus') GROUP BY r.n, r.class;
-- Each break that was told, and whether the truth knows one of this kind there. A transfer whose
-- credit names nobody, or another, is missing as seen from the gateway.
CREATE TABLE judged_break AS
SELECT k.kind, k.subject, bool_or(coalesce(r.class = k.kind OR (k.kind = 'missing_at_provider'
       AND r.class IN ('ambiguous', 'wrong_reference')) OR (k.kind = 'missing_at_treasury'
       AND r.class IN ('ambiguous', 'wrong_reference', 'batch_total')), false)) AS is_right,
       any_value(r.class) AS truly
FROM told_break k
LEFT JOIN (
  SELECT k.subject, t.class FROM told_break k JOIN truth_line t ON t.line_id = k.line_id
  UNION
  SELECT k.subject, r.class FROM told_break k JOIN truth r
    ON r.payment_reference = k.payment_reference AND r.payment_reference <> '') r
 ON r.subject = k.subject
GROUP BY k.kind, k.subject;
CREATE TABLE pair AS
SELECT t.line_id, t.payment_reference, t.class IN ('matched', 'late', 'cut_off') AS is_whole,
       -- In a group, a line and a payment need not have been claimed for each other.
       bool_or(l.line_id IS NOT NULL AND p.payment_reference IS NOT NULL) AS is_matched
FROM truth_line t
LEFT JOIN (SELECT DISTINCT line_id FROM claim WHERE payment_reference IS NOT NULL) l
  ON l.line_id = t.line_id
LEFT JOIN (SELECT DISTINCT payment_reference, left(line_id, 1) AS side FROM claim) p
  ON p.payment_reference = t.payment_reference AND p.side = left(t.line_id, 1)
WHERE t.payment_reference <> ''
GROUP BY ALL;
CREATE TABLE open_pair AS
SELECT p.line_id, p.payment_reference, l.source, l.reference, l.obligation_id,
       coalesce(s.memo, t.content, '') AS said, k.line_id IS NOT NULL AS is_marked
FROM pair p JOIN line l ON l.id = p.line_id
LEFT JOIN statement s ON p.line_id = 's' || CAST(s.n AS VARCHAR)
LEFT JOIN treasury t ON p.line_id = 't' || CAST(t.n AS VARCHAR)
LEFT JOIN (SELECT DISTINCT line_id FROM mark) k ON k.line_id = p.line_id
WHERE p.is_whole AND NOT p.is_matched
