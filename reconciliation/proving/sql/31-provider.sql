-- A provider's report, as its own bytes say; a file that names no account means the one that the
-- agency had when it was taken: the name that the books have it by, else the only one.
INSERT INTO file_line
SELECT $file, $taken, line_no, 'provider',
       CASE WHEN contains(provider, '/') THEN provider ELSE coalesce(
         (SELECT min(k.account) FROM kept_line k
          WHERE k.file_id = $file AND split_part(k.account, '/', 1) = provider),
         (SELECT min(h.name) FROM holder h WHERE split_part(h.name, '/', 1) = provider
          HAVING count(*) = 1), provider || '/default') END,
       kind || '|' || provider_txn_id
         || CASE kind WHEN 'payment' THEN '' ELSE '|' || merchant_reference END,
       hanoi(noted_at), kind, gross, fee, net, noted_at, provider_txn_id, nullif(merchant_reference, ''),
       nullif(batch_id, ''), NULL, NULL, NULL,
       coalesce(TRY_CAST(settled_on AS DATE), hanoi(noted_at))
FROM (SELECT * REPLACE (CAST(gross AS BIGINT) AS gross, CAST(fee AS BIGINT) AS fee,
                        CAST(net AS BIGINT) AS net),
             instant(txn_at) AS noted_at
      FROM content) told;
