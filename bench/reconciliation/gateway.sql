-- What the gateway booked, where a folder has no gateway.csv: told from truth.csv and the three files.
-- A payment is ours when truth.csv names it. Its notice told the provider's number that stands beside
-- it, and where there is none it was a transfer to the account of its statement line; with neither, it
-- went through the largest provider. It booked the provider's amount, or the bank's; where the truth
-- says that an amount is wrong and the treasury's is a commoner one, the treasury's. Its business day
-- is the day of settlement; of a transfer, whose hour no file tells, the day on the statement, so
-- lumps by day hold only where no cut-off moved a transfer. The treasury knows the payment by the obligation that its own line names.
CREATE TABLE gateway AS
WITH provided AS (
  SELECT provider_txn_id, any_value(provider ORDER BY n) AS provider,
         any_value(gross ORDER BY n) AS gross, any_value(txn_at ORDER BY n) AS txn_at,
         any_value(settled_on ORDER BY n) AS settled_on
  FROM provider WHERE kind = 'payment' GROUP BY provider_txn_id
), usual AS (
  SELECT gross, count(*) AS times FROM provided GROUP BY gross
), named AS (
  SELECT payment_reference, min(CASE WHEN provider_txn_id IN (SELECT provider_txn_id FROM provided)
         THEN provider_txn_id END) AS txn_id,
         min(nullif(statement_line, '')) AS line_id, bool_or(class = 'amount') AS is_wrong,
         bool_or(class = 'status_conflict') AS is_conflict,
         bool_or(class = 'wrong_reference') AS is_misnamed
  FROM truth WHERE payment_reference <> '' AND class NOT IN ('unknown_money', 'file_error')
  GROUP BY payment_reference
), confirmed AS (
  SELECT DISTINCT r.payment_reference, t.document_ref, t.obligation_id, t.tieu_muc, t.amount,
         t.booked_on
  FROM truth r JOIN treasury t ON t.document_ref = r.treasury_ref
), by_payment AS (
  SELECT payment_reference, sum(amount) FILTER (WHERE obligation_id <> '') AS amount,
         min(nullif(obligation_id, '')) AS payment_id, min(tieu_muc) AS budget_line,
         min(booked_on) AS booked_on
  FROM confirmed GROUP BY payment_reference
), credited AS (
  SELECT line_id, any_value(account ORDER BY n) AS account, any_value(amount ORDER BY n) AS amount,
         any_value(booked_on ORDER BY n) AS booked_on FROM statement GROUP BY line_id
)
SELECT CASE WHEN n.is_conflict THEN 'attempt' ELSE 'capture' END AS kind, n.payment_reference,
       CASE WHEN n.is_misnamed OR b.payment_id IS NULL THEN 'pay:' || n.payment_reference
            ELSE b.payment_id END AS payment_id,
       CASE WHEN s.account IS NOT NULL AND p.provider IS NULL THEN 'bank/default'
            WHEN contains(coalesce(p.provider, m.provider), '/') THEN coalesce(p.provider, m.provider)
            ELSE coalesce(p.provider, m.provider) || '/default' END AS provider,
       coalesce(p.provider_txn_id, n.txn_id, 'N' || n.payment_reference) AS provider_txn_id,
       CAST(coalesce(CASE WHEN n.is_wrong AND coalesce(v.times, 0) > coalesce(u.times, 0)
                          THEN b.amount END, p.gross, s.amount, b.amount, 0) AS BIGINT) AS amount,
       coalesce(p.txn_at, CAST(coalesce(s.booked_on, b.booked_on) AS TIMESTAMP)) AS "at",
       CAST(coalesce(p.settled_on, p.txn_at, s.booked_on, b.booked_on) AS DATE) AS business_on,
       CASE WHEN p.provider IS NULL THEN coalesce(s.account, '') ELSE '' END AS bank_account,
       '' AS bank_reference, coalesce(b.budget_line, '') AS budget_line, '' AS reference
FROM named n
LEFT JOIN provided p ON p.provider_txn_id = n.txn_id
LEFT JOIN credited s ON s.line_id = n.line_id
LEFT JOIN by_payment b ON b.payment_reference = n.payment_reference
LEFT JOIN usual u ON u.gross = p.gross
LEFT JOIN usual v ON v.gross = b.amount AND p.gross IS NOT NULL
CROSS JOIN (SELECT min_by(provider, -times) AS provider FROM (
  SELECT provider, count(*) AS times FROM provider GROUP BY provider) each_one) m
WHERE coalesce(p.gross, s.amount, b.amount, 0) > 0
UNION ALL
SELECT DISTINCT 'refund', r.payment_reference, '', CASE WHEN contains(l.provider, '/')
       THEN l.provider ELSE l.provider || '/default' END, r.provider_txn_id, -l.gross, l.txn_at,
       CAST(l.txn_at AS DATE), '', '', '', l.merchant_reference
FROM truth r JOIN provider l ON l.provider_txn_id = r.provider_txn_id AND l.kind <> 'payment'
 AND l.kind <> 'charge'
WHERE r.class = 'matched' AND r.payment_reference <> ''
