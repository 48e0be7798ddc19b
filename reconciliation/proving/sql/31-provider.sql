-- A provider's report, as its own bytes say; a file that names no account means the default one.
INSERT INTO file_line
SELECT $file, $taken, line_no, 'provider',
       CASE WHEN contains(provider, '/') THEN provider ELSE provider || '/default' END,
       kind || '|' || provider_txn_id
         || CASE kind WHEN 'payment' THEN '' ELSE '|' || merchant_reference END,
       hanoi(noted_at), kind, gross, fee, net, noted_at, provider_txn_id, nullif(merchant_reference, ''),
       nullif(batch_id, ''), NULL, NULL, NULL
FROM (SELECT * REPLACE (CAST(gross AS BIGINT) AS gross, CAST(fee AS BIGINT) AS fee,
                        CAST(net AS BIGINT) AS net),
             instant(txn_at) AS noted_at
      FROM content) told;
