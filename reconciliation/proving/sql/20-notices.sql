-- What each provider's notice says, read a second time: only that money was taken counts here.
-- A notice that was refused at the door is no word; the national platform's only makes us ask.
INSERT INTO word
WITH parts AS (
  SELECT id, holder, received, split_part(holder, '/', 1) AS provider,
         json_extract_string(plain, ['$.query', '$.body']) AS said
  FROM opened
), raw AS (
  SELECT id, holder, received, provider, said[1] AS query,
         CASE WHEN provider <> 'vnpay' AND json_valid(said[2]) THEN said[2] END AS body
  FROM parts
), vnpay AS (
  SELECT id, holder, received,
         asked(query, 'vnp_TransactionNo') AS txn_id,
         asked(query, 'vnp_Amount') AS amount,
         asked(query, 'vnp_TxnRef') AS reference,
         asked(query, 'vnp_PayDate') AS paid,
         asked(query, 'vnp_ResponseCode') AS code,
         asked(query, 'vnp_TransactionStatus') AS status
  FROM raw WHERE provider = 'vnpay'
), momo AS (  -- All at once: each look for a key reads the whole of it.
  SELECT id, holder, received, json_extract_string(body, ['$.transId', '$.amount', '$.orderId',
           '$.responseTime', '$.resultCode']) AS said
  FROM raw WHERE provider = 'momo'
), sepay AS (
  SELECT id, holder, received, json_extract_string(body, ['$.id', '$.transferAmount', '$.content',
           '$.transactionDate', '$.accountNumber', '$.subAccount', '$.transferType']) AS said
  FROM raw WHERE provider = 'vietqr'
), zalopay AS (
  SELECT id, holder, received, json_extract_string(body, '$.data') AS said
  FROM raw WHERE provider = 'zalopay'
), stripe AS (
  SELECT id, holder, received, json_extract(body, '$.data.object') AS said,
         json_extract_string(body, '$.type') AS type, json_extract_string(body, '$.created') AS noted_at
  FROM raw WHERE provider = 'stripe'
)
SELECT id, holder, received, txn_id, TRY_CAST(amount AS BIGINT) // 100, reference, NULL, NULL,
       epoch_us(try_strptime(paid, '%Y%m%d%H%M%S')) - 25200000000, NULL
FROM vnpay WHERE code = '00' AND status = '00' AND trim(txn_id, '0') <> ''
UNION ALL
SELECT id, holder, received, ltrim(said[1], '0'), TRY_CAST(said[2] AS BIGINT), said[3], NULL, NULL,
       TRY_CAST(said[4] AS BIGINT) * 1000, NULL
FROM momo WHERE said[5] IN ('0', '9000') AND ltrim(said[1], '0') <> ''
UNION ALL
SELECT id, holder, received, json_extract_string(said, '$.zp_trans_id'),
       TRY_CAST(json_extract_string(said, '$.amount') AS BIGINT),
       split_part(json_extract_string(said, '$.app_trans_id'), '_', 2), NULL, NULL,
       TRY_CAST(json_extract_string(said, '$.server_time') AS BIGINT) * 1000, NULL
FROM zalopay
UNION ALL
SELECT id, holder, received, 'sepay-' || said[1], TRY_CAST(said[2] AS BIGINT), NULL, NULL, said[3],
       instant(said[4]), coalesce(said[5], '') || '|' || coalesce(said[6], '')
FROM sepay WHERE said[7] = 'in'
UNION ALL
SELECT r.id, r.holder, r.received, json_extract_string(body, '$.data.orderCode') || '-'
         || json_extract_string(body, '$.data.reference'),
       TRY_CAST(json_extract_string(body, '$.data.amount') AS BIGINT), NULL,
       TRY_CAST(json_extract_string(body, '$.data.orderCode') AS BIGINT),
       json_extract_string(body, '$.data.description'),
       coalesce(instant(json_extract_string(body, '$.data.transactionDateTime')), r.received),
       NULL
FROM raw r LEFT JOIN holder h ON h.name = r.holder
WHERE provider = 'payos' AND json_extract_string(body, '$.data.code') = '00'
 AND coalesce(json_extract_string(body, '$.data.currency'), '') IN ('', 'VND')
 AND coalesce(h.number, '') IN ('', json_extract_string(body, '$.data.accountNumber'),
                                json_extract_string(body, '$.data.virtualAccountNumber'))
 -- The documentation's sample, sent when an address is registered: no money.
 AND (json_extract_string(body, '$.data.paymentLinkId'),
      json_extract_string(body, '$.data.reference'))
     <> ('124c33293c43417ab7879e14c8d9eb18', 'TF230204212323')
UNION ALL
SELECT id, holder, received,
       coalesce(json_extract_string(said, '$.payment_intent.id'),
                json_extract_string(said, '$.payment_intent')),
       TRY_CAST(json_extract_string(said, '$.amount_total') AS BIGINT),
       json_extract_string(said, '$.client_reference_id'), NULL, NULL,
       TRY_CAST(noted_at AS BIGINT) * 1000000, NULL
FROM stripe
WHERE type IN ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
 AND json_extract_string(said, '$.payment_status') = 'paid'
 AND json_extract_string(said, '$.currency') = 'vnd'
 AND json_extract_string(said, '$.payment_intent') IS NOT NULL;
