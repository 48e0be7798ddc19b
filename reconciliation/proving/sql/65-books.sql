-- What nights go through: each line and each due amount at the first run that could see it.
CREATE TABLE night AS
SELECT row_number() OVER (ORDER BY as_of, business_on) AS n, * FROM run;
CREATE TABLE coming AS
WITH seen AS (
  SELECT x.taken, x.booked_on, min(n.n) AS night
  FROM (SELECT DISTINCT taken, booked_on FROM line) x
  JOIN night n ON n.as_of >= x.taken AND n.business_on >= x.booked_on GROUP BY ALL
)
SELECT s.night, l.id, l.source, l.account, l.booked_on, l.net, l.reference, l.batch_id,
       l.obligation, l.budget_line, l.line_no, l.is_plain
FROM line l JOIN seen s USING (taken, booked_on) WHERE l.source <> 'provider' ORDER BY night;
-- A provider's report: from which moment each line is something of ours, and which of those that
-- name the same came first. What has no batch goes by the day on which the provider settles it.
CREATE TABLE report AS
WITH named AS (
  SELECT *, CASE kind WHEN 'payment' THEN txn_id ELSE reference END AS listed_as FROM line
  WHERE source = 'provider'
), known AS (
  SELECT n.id, min(o.noted_at) AS ours_from FROM named n
  JOIN ours o ON o.holder = n.account AND o.kind = n.kind AND o.name = n.listed_as
   AND o.gross = n.gross GROUP BY n.id
)
SELECT n.account, coalesce(n.batch_id, 'day ' || n.value_on) AS batch, n.kind, n.gross, n.fee, n.net,
       n.listed_as, n.taken, n.booked_on, n.value_on, k.ours_from,
       row_number() OVER (PARTITION BY n.account, n.kind, n.gross, n.listed_as ORDER BY n.id) AS nth
FROM named n LEFT JOIN known k USING (id) ORDER BY batch;
CREATE TABLE report_part AS
SELECT DISTINCT account, batch, value_on, taken, booked_on FROM report;
CREATE TABLE paid_batch (account VARCHAR, batch VARCHAR);
CREATE TABLE treasury AS
SELECT batch_id, net, taken, booked_on FROM line WHERE source = 'treasury' ORDER BY batch_id;
CREATE TABLE due_coming AS
WITH looked AS (
  SELECT d.*, a.n AS after FROM due d
  ASOF JOIN (SELECT as_of, min(n) AS n FROM night GROUP BY as_of) a ON d.noted_at <= a.as_of
), seen AS (
  SELECT x.after, x.value_on, min(n.n) AS night
  FROM (SELECT DISTINCT after, value_on FROM looked) x
  JOIN night n ON n.n >= x.after AND n.business_on >= x.value_on GROUP BY ALL
)
SELECT s.night, d.* EXCLUDE (after) FROM looked d JOIN seen s USING (after, value_on)
ORDER BY night;
CREATE TABLE told_by_line AS
SELECT source_id AS line_id, min(noted_at) AS noted_at FROM evidence WHERE source = 'statement'
GROUP BY source_id;
CREATE TABLE waiting AS SELECT * EXCLUDE (night) FROM coming LIMIT 0;
CREATE TABLE due_left AS SELECT * EXCLUDE (night) FROM due_coming LIMIT 0;
CREATE TABLE posted (line_id VARCHAR);
CREATE TABLE confirmed (line_id VARCHAR, day DATE, net BIGINT, phi BIGINT);
CREATE TABLE with_treasury (capture_id VARCHAR, as_of BIGINT);
CREATE TABLE lump_posted (line_id VARCHAR, budget_line VARCHAR, booked_on DATE);
CREATE TABLE bag_seen (bag_id VARCHAR);
