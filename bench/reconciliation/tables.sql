-- The engine's tables, of the canonical files and the gateway's side. A line's id is its place.
CREATE TABLE line AS
SELECT 'p' || CAST(n AS VARCHAR) AS id, 'provider' AS source, CASE WHEN contains(provider, '/')
       THEN provider ELSE provider || '/default' END AS account, CAST(txn_at AS DATE) AS booked_on,
       CAST(txn_at AS DATE) - DATE '2000-01-01' AS day_no, n AS line_no, kind, gross, fee, net,
       provider_txn_id AS txn_id, nullif(merchant_reference, '') AS reference,
       nullif(batch_id, '') AS batch_id, CAST(NULL AS VARCHAR) AS obligation_id,
       CAST(NULL AS VARCHAR) AS budget_line, coalesce(settled_on, CAST(txn_at AS DATE)) AS value_on,
       coalesce(settled_on, CAST(txn_at AS DATE)) - DATE '2000-01-01' AS value_no
FROM provider
UNION ALL
SELECT 's' || CAST(n AS VARCHAR), 'statement', account, booked_on, booked_on - DATE '2000-01-01', n,
       CASE WHEN amount > 0 THEN 'credit' ELSE 'debit' END, amount, 0, amount,
       nullif(line_id, ''), nullif(reference, ''), NULL, NULL, NULL,
       coalesce(value_on, booked_on), coalesce(value_on, booked_on) - DATE '2000-01-01'
FROM statement
UNION ALL
SELECT 't' || CAST(n AS VARCHAR), 'treasury', agency_code, booked_on,
       booked_on - DATE '2000-01-01', n, 'revenue', amount, 0, amount, document_ref, document_ref,
       regexp_replace(document_ref, '-[0-9]+$', ''), nullif(obligation_id, ''), tieu_muc,
       booked_on, booked_on - DATE '2000-01-01'
FROM treasury;
CREATE TABLE capture AS
SELECT 'c' || CAST(n AS VARCHAR) AS id, provider AS provider_account, provider_txn_id AS txn_id,
       amount, CAST("at" AS DATE) AS value_on, CAST("at" AS DATE) - DATE '2000-01-01' AS day_no,
       business_on, business_on - DATE '2000-01-01' AS business_no, "at" AS paid_at,
       nullif(bank_account, '') AS bank_account, nullif(bank_reference, '') AS bank_reference,
       false AS is_cash
FROM gateway WHERE kind = 'capture';
CREATE TABLE share AS
SELECT 'c' || CAST(n AS VARCHAR) AS capture_id, payment_id FROM gateway WHERE kind = 'capture';
CREATE TABLE payment AS
SELECT DISTINCT payment_id AS id, payment_reference AS reference FROM gateway
WHERE kind <> 'refund';
CREATE TABLE due AS
SELECT g.payment_id, 'c' || CAST(g.n AS VARCHAR) AS capture_id, g.budget_line, 'le_phi' AS kind,
       g.amount, g.business_on AS booked_on, g.business_on - DATE '2000-01-01' AS day_no,
       g.business_on - DATE '2000-01-01' + 5 AS confirm_by_no
FROM gateway g
WHERE g.kind = 'capture' AND NOT EXISTS (SELECT 1 FROM gateway r WHERE r.kind = 'refund'
  AND r.payment_reference = g.payment_reference);
CREATE TABLE taken_back AS
SELECT 'b' || CAST(g.n AS VARCHAR) AS id, 'c' || CAST(c.n AS VARCHAR) AS capture_id,
       g.provider AS provider_account, l.kind, g.reference, g.amount
FROM gateway g
LEFT JOIN gateway c ON c.kind = 'capture' AND c.payment_reference = g.payment_reference
JOIN (SELECT DISTINCT account, reference, kind FROM line WHERE source = 'provider'
      AND kind IN ('refund', 'reversal')) l ON l.account = g.provider AND l.reference = g.reference
WHERE g.kind = 'refund';
CREATE TABLE attempt AS
SELECT provider AS provider_account, payment_reference AS reference, 'failed' AS state
FROM gateway WHERE kind = 'attempt';
-- CONTRACT 6 has no place for the declared charges, so they are read off the report: what most lines
-- of an amount pay, and the line through the smallest and the largest amount, give or take two đồng.
CREATE TABLE declared_charge AS
WITH usual AS (
  SELECT account, gross, mode(fee) AS fee FROM line
  WHERE source = 'provider' AND kind = 'payment' GROUP BY account, gross
  HAVING count(*) * 200 > (SELECT count(*) FROM line x
                           WHERE x.source = 'provider' AND x.account = any_value(line.account))
), ends AS (
  SELECT account, min(gross) AS low, max(gross) AS high, min_by(fee, gross) AS low_fee,
         max_by(fee, gross) AS high_fee, count(*) AS amounts
  FROM usual GROUP BY account
), told AS (
  SELECT account, CASE WHEN high = low THEN 0
           ELSE CAST(round((high_fee - low_fee) * 1000000.0 / (high - low)) AS BIGINT) END AS rate_ppm,
         low, low_fee FROM ends
), rule AS (
  SELECT account, rate_ppm, low_fee - CAST(round(low * rate_ppm / 1000000.0) AS BIGINT) AS fixed
  FROM told
)
SELECT r.account AS provider_account, r.rate_ppm, r.fixed, CAST(3 AS BIGINT) AS slack
FROM rule r WHERE (  -- Where the usual charges are no such line, nothing is said of them.
  SELECT count(*) FILTER (WHERE abs((u.fee - r.fixed) * 1000000 - u.gross * r.rate_ppm) < 3000000)
         * 10 >= count(*) * 9 FROM usual u WHERE u.account = r.account)
