-- Stripe's payout reconciliation, in its own columns; whose it is, only its agency says, as in 31.
INSERT INTO file_line
SELECT $file, $taken, line_no, 'provider', coalesce(
         (SELECT min(account) FROM kept_line WHERE file_id = $file AND account LIKE 'stripe/%'),
         (SELECT min(name) FROM holder WHERE name LIKE 'stripe/%' HAVING count(*) = 1), 'stripe/default'),
       kind || '|' || txn_id || CASE kind WHEN 'payment' THEN '' ELSE '|' || named END, hanoi(noted_at),
       kind, gross, fee, net, noted_at, txn_id, nullif(named, ''), nullif(automatic_payout_id, ''), NULL,
       NULL, NULL, coalesce(TRY_CAST(automatic_payout_effective_at_utc[:10] AS DATE),
                            hanoi(noted_at))
FROM (
  SELECT * REPLACE (CAST(CAST(gross AS DECIMAL(20, 4)) AS BIGINT) AS gross,
                    CAST(CAST(fee AS DECIMAL(20, 4)) AS BIGINT) AS fee,
                    CAST(CAST(net AS DECIMAL(20, 4)) AS BIGINT) AS net),
         CASE reporting_category WHEN 'charge' THEN 'payment' WHEN 'refund' THEN 'refund'
              WHEN 'fee' THEN 'charge' WHEN 'network_cost' THEN 'charge' ELSE 'reversal' END
           AS kind,
         coalesce(CASE reporting_category WHEN 'charge' THEN nullif(payment_intent_id, '')
                       WHEN 'refund' THEN nullif(source_id, '') END, balance_transaction_id)
           AS txn_id,
         CASE reporting_category WHEN 'charge' THEN "payment_metadata[thuphi_attempt]"
              WHEN 'refund' THEN "refund_metadata[thuphi_refund]"
              WHEN 'dispute' THEN source_id WHEN 'dispute_reversal' THEN source_id ELSE '' END
           AS named,
         instant(CASE WHEN regexp_matches(created_utc, '(Z|[+].*)$') THEN created_utc
                      ELSE created_utc || 'Z' END) AS noted_at
  FROM content
) told;
