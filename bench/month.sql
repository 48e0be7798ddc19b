-- A month of payments, written straight into the tables: how many, from which day on and whose, the
-- colons say. One payment in three is a transfer, and of the others one in 35 is paid twice; each
-- day has a provider's report, a statement with yesterday's payout and remittance, and a treasury's
-- list; each night a run and a close.

CREATE TABLE month AS SELECT n, DATE ':first' + n % 30 AS on_day,
  (ARRAY[5, 10, 15, 20, 30, 50, 75, 100, 200, 500])[n % 10 + 1] * 1000 AS amount,
  '27' || n % 10 + 10 AS budget_line, n % 10 = ANY(ARRAY[0, 1, 2]) AS is_transfer,
  n % 50 = 7 AS is_double,
  'pay_' || lpad(n::text, 26, '0') AS pay, 'att_' || lpad(n::text, 26, '0') AS att,
  coalesce(r.reference, lpad(n::text, 12, '0')) AS reference,
  (DATE ':first' + n % 30)::timestamptz + interval '1 hour' + n * interval '10 ms' AS paid_at
FROM generate_series(1, :count) n LEFT JOIN named r USING (n);

CREATE TABLE taken AS SELECT 'cap_' || lpad(n::text, 26, '0') AS cap,
  'ntc_' || lpad(n::text, 26, '0') AS ntc, CASE WHEN is_transfer THEN 'vietqr' ELSE 'vnpay' END
  AS provider, CASE WHEN is_transfer THEN 'sepay-' || n ELSE (10000000 + n)::text END AS txn,
  false AS again, * FROM month
UNION ALL SELECT 'cap_2' || lpad(n::text, 25, '0'), 'ntc_2' || lpad(n::text, 25, '0'), 'vnpay',
  (90000000 + n)::text, true, m.* FROM month m WHERE is_double;

CREATE TABLE listed AS
SELECT on_day AS file_on, 'canonical-provider' AS profile, 'provider' AS source, on_day, cap AS
  name, 'payment' AS kind, amount::bigint AS gross, 100::bigint AS fee, concat_ws(',', 'vnpay',
    txn,
  substr(att, 5), 'payment', amount, 100, amount - 100, 'VND',
  to_char(paid_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), on_day + 1, 'VNPAY-' || on_day) AS cells,
  '' AS pay, '' AS budget_line
FROM taken WHERE provider = 'vnpay'
UNION ALL SELECT on_day, 'canonical-statement', 'statement', on_day, cap, 'credit', amount, 0,
  concat_ws(',', '0123456789', cap, on_day, '', amount, 'VND', '', 'FT' || n, 'TP' || reference,
  ''), '', '' FROM taken WHERE is_transfer
UNION ALL SELECT on_day + 1, 'canonical-statement', 'statement', on_day + 1, 'payout ' || on_day,
  'credit', sum(amount - 100), 0, concat_ws(',', '0123456789', 'p' || on_day, on_day + 1, '',
  sum(amount - 100), 'VND', '', 'VNPAY-' || on_day, 'VNPAY THANH TOAN', ''), '', ''
  FROM taken WHERE NOT is_transfer AND on_day < DATE ':last' GROUP BY on_day
UNION ALL SELECT on_day + 1, 'canonical-statement', 'statement', on_day + 1, 'sent ' || on_day,
  'debit', -sum(amount), 0, concat_ws(',', '0123456789', 's' || on_day, on_day + 1, '',
  -sum(amount), 'VND', '', 'NS' || to_char(on_day, 'YYYYMMDD'), 'NOP NSNN', ''), '', ''
  FROM month WHERE on_day < DATE ':last' GROUP BY on_day
UNION ALL SELECT on_day + 1, 'canonical-treasury', 'treasury', on_day + 1, 'due ' || pay,
  'revenue', amount, 0, concat_ws(',', 'NS' || to_char(on_day, 'YYYYMMDD') || '-' || n, pay,
  on_day + 1, '1057757', '412', budget_line, amount, 'VND', ''), pay, budget_line
  FROM month WHERE on_day < DATE ':last';

CREATE TABLE numbered AS SELECT *, 'lin_' || md5(name || source) AS id,
  (1 + row_number() OVER (PARTITION BY file_on, profile ORDER BY name))::int AS line_no,
  'fil_' || file_on || profile AS file_id FROM listed;

INSERT INTO payment (agency_id, id, reference, branch_id, client_id, dossier_id, procedure,
  instalment, price_on, state, amount, amount_received, amount_on_account, amount_suspended,
  amount_refunded, amount_refunding, amount_settled, in_doubt, late, metadata, token, sequence,
  created_at, expires_at, paid_at) SELECT ':agency', pay, reference, 'hoan-kiem', 'bench', pay,
  '1.004222', 1, on_day, 'paid', amount, amount, 0, CASE WHEN is_double THEN amount ELSE 0 END, 0,
  0, 0, false, false, '{}', pay, 2, paid_at - interval '1 min', paid_at + interval '1 day',
  paid_at FROM month;

INSERT INTO fee_line SELECT ':agency', pay, 1, '1.004222', 'le_phi', 'x', amount, budget_line FROM
  month;

INSERT INTO attempt (agency_id, id, provider, account, provider_reference, state, amount,
  payer_address, locale, created_at, expires_at, asked) SELECT ':agency', att, 'vnpay', 'default',
  substr(att, 5), 'captured', amount, '127.0.0.1', 'vi', paid_at, paid_at, 0 FROM month WHERE NOT
  is_transfer;

INSERT INTO attempt_share SELECT ':agency', att, pay, amount FROM month WHERE NOT is_transfer;

INSERT INTO capture (agency_id, id, provider, account, txn_id, attempt_id, amount, result,
  booked_on, value_on, paid_at, taken_at) SELECT ':agency', cap, provider, 'default', txn, CASE
  WHEN NOT is_transfer THEN att END, amount, CASE WHEN again THEN 'double' ELSE 'paid' END,
  on_day, on_day, paid_at, paid_at + CASE WHEN again THEN interval '5 min' ELSE '0' END FROM taken;

INSERT INTO evidence SELECT ':agency', cap, 'notice', ntc, ntc, paid_at + CASE WHEN again THEN
  interval '5 min' ELSE '0' END FROM taken;

INSERT INTO notice_work (agency_id, notice_id, received_at, state, outcome, tries, due_at) SELECT
  ':agency', ntc, paid_at, 'done', 'recorded', 0, paid_at FROM taken;

INSERT INTO statement_line (agency_id, id, file_id, line_no, source, account, line_key, booked_on,
  value_on, kind, gross, fee, net, marks, candidates) SELECT ':agency', id, file_id, line_no,
  source, 'x', id, on_day, on_day, kind, gross, fee, gross - fee, '{}', '{}' FROM numbered;

INSERT INTO entry (agency_id, booked_on, value_on, debit, credit, amount, voucher_kind,
  voucher_id,
  rule, storno, created_at)
SELECT ':agency', on_day, on_day, debit, credit, amount, kind, voucher, 'bench', false, now() FROM
  (
  SELECT on_day, 'M1' AS debit, 'M9' AS credit, amount, 'payment' AS kind, pay AS voucher FROM
    month
  UNION ALL SELECT on_day, '1380', CASE WHEN again THEN '3310' ELSE '3330' END, amount, 'capture',
    cap FROM taken
  UNION ALL SELECT on_day, 'M2', 'M1', amount, 'capture', cap FROM taken WHERE NOT again
  UNION ALL SELECT on_day, '1120', '1380', gross, 'statement_line', id FROM numbered
    WHERE kind = 'credit'
  UNION ALL SELECT n.on_day, x.debit, x.credit, t.fees, 'statement_line', n.id FROM numbered n
    JOIN (SELECT on_day, count(*) * 100 AS fees FROM taken WHERE NOT is_transfer GROUP BY 1) t
      ON n.name = 'payout ' || t.on_day
    CROSS JOIN (VALUES ('6420', '1380'), ('1383', '4900')) x (debit, credit)
  UNION ALL SELECT on_day, '1130', '1120', -gross, 'remittance', id FROM numbered
    WHERE kind = 'debit'
  UNION ALL SELECT on_day, '3330', '1130', gross, 'remittance', id FROM numbered
    WHERE kind = 'revenue') x;

INSERT INTO recon_run SELECT ':agency', 'run_' || d, d::date, d + interval '18 hours 30 min', '',
  '', '', '{}', d, d FROM generate_series(timestamptz ':first', timestamptz ':last', interval
  '1 day') d;

INSERT INTO audit SELECT 'aud_' || business_on, as_of + interval '1 min', ':agency', 'bench',
  'day.close', business_on::text, '{}' FROM recon_run;
