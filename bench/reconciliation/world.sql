-- One row a payment: what happened to it. Chance is a hash of its number, so any part can be made
-- again alone. March 2026 has 22 working days and no holiday; money after 16:00 counts tomorrow.
CREATE MACRO chance(n, salt) AS CAST(hash(n, $seed, salt) % 1000003 AS BIGINT);
CREATE TABLE drawn AS
WITH body AS (
  SELECT n, CAST((CAST(n AS HUGEINT) * 636413622384679 + $seed * 7919 + 1013904223)
                 % 1125899906842624 AS BIGINT) AS bits,
         chance(n, 'dice') % 100000 AS dice, chance(n, 'tariff') % 10 AS tariff,
         chance(n, 'route') % 100 AS route, chance(n, 'day') % 31 AS day_of,
         21600 + chance(n, 'second') % 60000 AS second_of
  FROM range($payments) x (n)
)
SELECT n, dice, bits,
       $pairs[(bits & 1023) + 1] || $pairs[((bits >> 10) & 1023) + 1]
       || $pairs[((bits >> 20) & 1023) + 1] || $pairs[((bits >> 30) & 1023) + 1]
       || $pairs[((bits >> 40) & 1023) + 1]
       || $pairs[xor(xor(xor(xor($parities[1][(bits & 1023) + 1],
                                 $parities[2][((bits >> 10) & 1023) + 1]),
                             $parities[3][((bits >> 20) & 1023) + 1]),
                         $parities[4][((bits >> 30) & 1023) + 1]),
                     $parities[5][((bits >> 40) & 1023) + 1]) + 1] AS reference,
       CASE WHEN $is_adversarial THEN 100000 ELSE $amounts[tariff + 1] END AS amount,
       CASE WHEN $is_adversarial THEN '2805' ELSE $lines[tariff + 1] END AS budget_line,
       CASE WHEN route < 40 THEN 'vnpay' WHEN route < 60 THEN 'momo' ELSE 'bank' END AS via,
       DATE '2026-03-01' + CAST(day_of AS INTEGER) AS day, second_of, $fault AS told
FROM body;
CREATE TABLE p AS
SELECT n, reference, 'pay_' || lpad(CAST(n AS VARCHAR), 8, '0') AS payment_id, amount, budget_line,
       via, CASE WHEN budget_line = '2752' AND told IN ('missing_at_treasury', 'amount_at_treasury',
         'twice_at_treasury', 'partial', 'instalments', 'no_obligation') THEN ''
         -- What is missing at the month's end is not late yet, so nobody can tell.
         WHEN day > DATE '2026-03-24' AND told IN ('missing_at_treasury', 'missing_at_provider')
         THEN ''
         -- Some things happen at a provider alone, some to a transfer.
         WHEN via = 'bank' AND told IN ('amount', 'charge', 'twice', 'refunded', 'refund_first',
         'charged_back', 'conflict', 'late_report') OR via <> 'bank' AND told IN ('lost', 'double',
         'wrong_reference') THEN '' ELSE told END AS fault, day AS value_on,
       CAST(day AS TIMESTAMP) + to_seconds(CASE WHEN told = 'before_midnight' THEN 86340
                                                ELSE second_of END) AS paid_at,
       late + CASE dayofweek(late) WHEN 6 THEN 2 WHEN 0 THEN 1 ELSE 0 END AS business_on,
       CASE via WHEN 'bank' THEN NULL ELSE 'V' || CAST(n AS VARCHAR) END AS txn_id,
       CASE via WHEN 'vnpay' THEN 1650 + (amount * 11) // 1000
                WHEN 'momo' THEN (amount * 15) // 1000 ELSE 0 END AS fee,
       -- One transfer in five carries no reference of its bank; an adversary's, none at all.
       CASE WHEN via = 'bank' AND NOT $is_adversarial AND chance(n, 'ft') % 5 > 0
             AND told NOT IN ('lost', 'wrong_reference', 'double')
            THEN 'FT' || CAST(n AS VARCHAR) END AS bank_reference
FROM (SELECT *, day + CASE WHEN second_of >= 57600 OR told = 'before_midnight' THEN 1 ELSE 0 END
             AS late FROM drawn);
DROP TABLE drawn;
-- The provider's report: one row a payment, and what the faults add.
CREATE TABLE reported AS
SELECT n, 0 AS place, via || '/default' AS provider, txn_id, reference AS merchant_reference,
       'payment' AS kind,
       CASE WHEN fault = 'amount' THEN amount + 1000 * (1 + n % 7) ELSE amount END AS gross,
       CASE WHEN fault = 'charge' THEN fee + 1100 ELSE fee END AS fee,
       CASE WHEN fault = 'before_midnight' THEN paid_at + INTERVAL 3 MINUTE
            WHEN fault = 'late_report' THEN paid_at + INTERVAL 1 DAY ELSE paid_at END AS txn_at,
       business_on + CASE WHEN fault = 'late_report' THEN 3 ELSE 0 END AS due_on
FROM p WHERE via <> 'bank' AND fault NOT IN ('missing_at_provider')
UNION ALL
SELECT n, 1, via || '/default', txn_id, reference, 'payment', amount, fee, paid_at, business_on
FROM p WHERE fault = 'twice'
UNION ALL
SELECT n, 2, via || '/default', 'X' || CAST(n AS VARCHAR), '', 'payment', amount, fee, paid_at,
       business_on FROM p WHERE via <> 'bank' AND fault = 'unknown'
UNION ALL
SELECT n, CASE fault WHEN 'refund_first' THEN -1 ELSE 3 END, via || '/default',
       'R' || CAST(n AS VARCHAR), 'RF' || CAST(n AS VARCHAR), 'refund', -amount, 0,
       paid_at + CASE fault WHEN 'refund_first' THEN -INTERVAL 1 SECOND ELSE INTERVAL 1 HOUR END,
       business_on FROM p WHERE fault IN ('refunded', 'refund_first')
UNION ALL
SELECT n, 4, via || '/default', 'C' || CAST(n AS VARCHAR), 'DS' || CAST(n AS VARCHAR), 'reversal',
       -amount, 0, paid_at + INTERVAL 1 HOUR, business_on
FROM p WHERE fault = 'charged_back';
CREATE TABLE settled AS
SELECT *, due_on + CASE dayofweek(due_on) WHEN 6 THEN 2 WHEN 0 THEN 1 ELSE 0 END AS settled_on
FROM reported;
-- One batch a provider and day, and how the bank was told of it.
CREATE TABLE batch AS
SELECT provider, settled_on, upper(replace(provider, '/default', '')) AS name,
       upper(replace(provider, '/default', '')) || '-' || strftime(settled_on, '%Y%m%d')
       AS batch_id, CAST(sum(gross - fee) AS BIGINT) AS net,
       row_number() OVER (ORDER BY provider, settled_on) AS place,
       CASE WHEN $is_adversarial THEN 'unnamed' WHEN NOT $is_dirty THEN 'whole'
            ELSE CASE row_number() OVER (ORDER BY provider, settled_on) % 10
              WHEN 3 THEN 'split' WHEN 5 THEN 'merged' WHEN 6 THEN 'merged_too'
              WHEN 8 THEN 'unnamed' WHEN 9 THEN 'short' ELSE 'whole' END END AS paid
FROM settled WHERE place <> 1  -- What is listed twice is paid out once.
GROUP BY provider, settled_on HAVING sum(gross - fee) > 0;
UPDATE batch b SET paid = 'whole' WHERE (paid = 'merged' AND NOT EXISTS (SELECT 1 FROM batch x
  WHERE x.place = b.place + 1 AND x.provider = b.provider)) OR (paid = 'merged_too' AND NOT EXISTS
  (SELECT 1 FROM batch x WHERE x.place = b.place - 1 AND x.provider = b.provider));
CREATE TABLE payout AS
SELECT place * 2 AS n, provider, settled_on, 'O' || CAST(place AS VARCHAR) AS line_id,
       CASE paid WHEN 'merged' THEN (SELECT x.settled_on FROM batch x WHERE x.place = b.place + 1)
                 ELSE settled_on END + 1 AS booked_on,
       CASE paid WHEN 'split' THEN net - net // 3 WHEN 'short' THEN net - 1100
         WHEN 'merged' THEN net + (SELECT x.net FROM batch x WHERE x.place = b.place + 1)
         ELSE net END AS amount,
       CASE paid WHEN 'unnamed' THEN '' WHEN 'merged' THEN '' ELSE batch_id END AS reference,
       name || ' THANH TOAN' || CASE paid WHEN 'unnamed' THEN ''
         WHEN 'merged' THEN ' LO ' || batch_id || ' VA ' || name || '-' ||
           (SELECT strftime(x.settled_on, '%Y%m%d') FROM batch x WHERE x.place = b.place + 1)
         ELSE ' LO ' || batch_id END AS memo, paid
FROM batch b WHERE paid <> 'merged_too'
UNION ALL
SELECT place * 2 + 1, provider, settled_on, 'O' || CAST(place AS VARCHAR) || 'B', settled_on + 2,
       net // 3, batch_id, name || ' THANH TOAN LO ' || batch_id, paid
FROM batch WHERE paid = 'split';
CREATE TABLE paid_out AS
SELECT b.provider, b.settled_on, o.line_id, b.paid
FROM batch b JOIN payout o ON o.provider = b.provider AND o.settled_on = CASE b.paid
  WHEN 'merged_too' THEN (SELECT x.settled_on FROM batch x WHERE x.place = b.place - 1)
  ELSE b.settled_on END;
-- The statement: transfers with their texts, the payouts, what nobody knows, what left.
CREATE TABLE text AS
SELECT n, 'TP' || reference AS code, reference, fault, 3 + n % 9 AS at_char,
       ['Nop le phi ho so ', 'MBVCB.' || CAST(4525077405 + n AS VARCHAR) || '.', 'CT DEN ',
        'thanh toan '][n % 4 + 1] AS before,
       [' NGUYEN THE HUNG', ' tu 0351000646393', '', '; GD tien mat'][n % 4 + 1] AS after
FROM p WHERE via = 'bank';
CREATE TABLE said AS
SELECT t.n, CASE
  WHEN $is_adversarial THEN ['nop tien', '', 'chuyen khoan'][n % 3 + 1]
  WHEN fault = 'lost' THEN 'chuyen tien' || after
  WHEN fault = 'wrong_reference' THEN before || 'TP' || coalesce((SELECT min(x.reference) FROM p x
       WHERE x.n = t.n - 1), reference) || after
  WHEN fault = 'letter_changed' THEN before || left(code, at_char - 1)
       || CASE WHEN substr(code, at_char, 1) = 'X' THEN '4' ELSE 'X' END
       || substr(code, at_char + 1) || after
  WHEN fault = 'letter_lost' THEN before || left(code, at_char - 1) || substr(code, at_char + 1)
       || after
  WHEN fault = 'letters_swapped' THEN before || left(code, at_char - 1)
       || substr(code, at_char + 1, 1) || substr(code, at_char, 1) || substr(code, at_char + 2)
       || after
  WHEN fault = 'accents' THEN 'Đặng Thị Đào nộp lệ phí ' || lower(code) || ' hồ sơ đất'
  WHEN fault = 'glued' THEN 'NOPLEPHI' || code || 'NGUYENVANDAO'
  WHEN fault = 'broken_lines' THEN before || left(code, at_char) || chr(10) || substr(code, at_char + 1)
       || after
  WHEN fault = 'folded' THEN before || replace(replace(lower(code), '0', 'o'), '1', 'l') || after
  ELSE before || code || after END AS memo
FROM text t;
CREATE TABLE credit AS
SELECT p.n * 3 AS n, 'S' || CAST(p.n AS VARCHAR) AS line_id,
       CASE WHEN fault = 'before_midnight' THEN business_on ELSE value_on END AS booked_on, amount,
       bank_reference AS reference, memo, p.n AS of
FROM p JOIN said USING (n) WHERE fault NOT IN ('missing_at_provider')
UNION ALL  -- Paid again, and no notice told of it; or from nobody.
SELECT p.n * 3 + 1, 'D' || CAST(p.n AS VARCHAR), value_on + 1, amount, NULL, memo, p.n
FROM p JOIN said USING (n) WHERE fault = 'double'
UNION ALL
SELECT p.n * 3 + 2, 'U' || CAST(p.n AS VARCHAR), value_on, amount + 500 * (1 + p.n % 9), NULL, 'chuyen tien', NULL
FROM p WHERE via = 'bank' AND fault = 'unknown';
-- The treasury: each payment by its obligation, one budget line in lumps.
CREATE TABLE sent AS
SELECT n, 0 AS part, 'NS' || strftime(business_on, '%Y%m%d') || '-' || CAST(n AS VARCHAR)
       AS document_ref, business_on, payment_id, reference, budget_line, fault,
       CASE fault WHEN 'amount_at_treasury' THEN amount - 1000
         WHEN 'partial' THEN amount // 4 WHEN 'instalments' THEN amount // 2 ELSE amount END AS amount
FROM p WHERE fault NOT IN ('missing_at_treasury', 'refunded', 'refund_first', 'conflict')
UNION ALL
SELECT n, 1, 'NS' || strftime(business_on, '%Y%m%d') || '-' || CAST(n AS VARCHAR)
       || CASE fault WHEN 'twice_at_treasury' THEN '' ELSE 'B' END, business_on, payment_id,
       reference, budget_line, fault,
       CASE fault WHEN 'instalments' THEN amount - amount // 2 WHEN 'partial' THEN amount // 4
                  ELSE amount END
FROM p WHERE fault IN ('instalments', 'partial', 'twice_at_treasury');
CREATE TABLE lump AS
SELECT 'L' || strftime(business_on, '%Y%m%d') AS document_ref, business_on,
       CAST(sum(CASE part WHEN 0 THEN amount ELSE 0 END) AS BIGINT)
         - CASE WHEN $is_dirty AND day(business_on) % 11 = 5 THEN 7000 ELSE 0 END AS amount,
       $is_dirty AND day(business_on) % 11 = 5 AS is_short
FROM sent WHERE budget_line = '2752'
GROUP BY business_on;
CREATE TABLE in_lump AS
SELECT n, 'L' || strftime(business_on, '%Y%m%d') AS document_ref FROM sent
WHERE budget_line = '2752';
CREATE TABLE arrived AS
SELECT n * 2 + part AS n, document_ref,
       CASE WHEN fault = 'no_obligation' OR $is_adversarial THEN '' ELSE payment_id END
       AS obligation_id, business_on + 1 AS booked_on, budget_line AS tieu_muc, amount,
       CASE WHEN $is_adversarial THEN 'thu NSNN' WHEN fault = 'no_obligation'
            THEN 'thu phi TP' || reference ELSE 'thu phi' END AS content
FROM sent WHERE n NOT IN (SELECT n FROM in_lump)
UNION ALL
SELECT -1 - row_number() OVER (ORDER BY document_ref), document_ref, '', business_on + 1, '2752',
       amount, 'thu phi gop' FROM lump;
CREATE TABLE "canonical-provider" AS
SELECT row_number() OVER (ORDER BY provider, txn_at, n, place) AS n, provider,
       txn_id AS provider_txn_id, merchant_reference, kind, gross, fee, gross - fee AS net,
       'VND' AS currency, strftime(txn_at, '%Y-%m-%dT%H:%M:%S') AS txn_at, settled_on,
       CASE WHEN $is_adversarial THEN '' ELSE upper(replace(provider, '/default', '')) || '-'
            || strftime(settled_on, '%Y%m%d') END AS batch_id
FROM settled;
CREATE TABLE "canonical-statement" AS
SELECT row_number() OVER (ORDER BY booked_on, salt, line_id) AS n, '0123456789' AS account,
       line_id, booked_on, booked_on AS value_on, amount, 'VND' AS currency, '' AS counterparty,
       coalesce(reference, '') AS reference, memo, '' AS balance
FROM (SELECT line_id, booked_on, amount, reference, memo, chance(n, 'place') AS salt FROM credit
      UNION ALL SELECT line_id, booked_on, amount, reference, memo, n FROM payout);
CREATE TABLE "canonical-treasury" AS
SELECT row_number() OVER (ORDER BY booked_on, chance(n, 'place'), n) AS n, document_ref,
       obligation_id, booked_on, '1057757' AS agency_code, '' AS chapter, tieu_muc, amount,
       'VND' AS currency, content FROM arrived;
CREATE TABLE told AS
SELECT p.*, o.line_id AS payout_id, o.paid, s.settled_on,
       coalesce(u.document_ref, t.document_ref, '') AS treasury_ref, l.is_short
FROM p
LEFT JOIN settled s ON s.n = p.n AND s.place = 0
LEFT JOIN paid_out o ON o.provider = s.provider AND o.settled_on = s.settled_on
 AND o.line_id NOT LIKE '%B'
LEFT JOIN in_lump u ON u.n = p.n
LEFT JOIN lump l ON l.document_ref = u.document_ref
LEFT JOIN sent t ON t.n = p.n AND t.part = 0;
CREATE TABLE truth AS
SELECT n * 8 AS n, reference AS payment_reference,
       CASE WHEN via = 'bank' OR fault = 'missing_at_provider' THEN '' ELSE txn_id END
         AS provider_txn_id,
       CASE WHEN fault = 'missing_at_provider' THEN '' WHEN via = 'bank'
            THEN 'S' || CAST(n AS VARCHAR) ELSE coalesce(payout_id, '') END AS statement_line,
       treasury_ref,
       CASE WHEN fault IN ('missing_at_provider', 'missing_at_treasury', 'partial',
                           'wrong_reference') THEN fault
            WHEN fault = 'amount_at_treasury' THEN 'amount'
            WHEN fault = 'twice_at_treasury' THEN 'duplicate'
            WHEN fault = 'amount' THEN 'amount'
            WHEN fault = 'charge' THEN 'charge'
            WHEN fault = 'twice' THEN 'duplicate'
            WHEN fault = 'conflict' THEN 'status_conflict'
            WHEN fault = 'lost' OR $is_adversarial THEN 'ambiguous'
            WHEN paid = 'short' OR is_short THEN 'batch_total'
            ELSE 'matched' END AS class
FROM told
UNION ALL
SELECT n * 8 + 1, reference, 'R' || CAST(n AS VARCHAR), coalesce(payout_id, ''), '', 'matched'
FROM told WHERE fault IN ('refunded', 'refund_first')
UNION ALL
SELECT n * 8 + 2, '', 'C' || CAST(n AS VARCHAR), coalesce(payout_id, ''), '', 'reversed'
FROM told WHERE fault = 'charged_back'
UNION ALL
SELECT n * 8 + 3, '', CASE via WHEN 'bank' THEN '' ELSE 'X' || CAST(n AS VARCHAR) END,
       CASE via WHEN 'bank' THEN 'U' || CAST(n AS VARCHAR) ELSE coalesce(payout_id, '') END, '',
       'unknown_money' FROM told WHERE fault = 'unknown'
UNION ALL
SELECT n * 8 + 4, '', '', 'D' || CAST(n AS VARCHAR), '', 'double'
FROM told WHERE fault = 'double'
UNION ALL
SELECT n * 8 + 5, reference, CASE via WHEN 'bank' THEN '' ELSE txn_id END, '',
       'NS' || strftime(business_on, '%Y%m%d') || '-' || CAST(n AS VARCHAR) || 'B',
       CASE fault WHEN 'partial' THEN 'partial' ELSE 'matched' END
FROM told WHERE fault IN ('instalments', 'partial')
UNION ALL
SELECT min(n) * 8 + 6, min_by(reference, n), min_by(txn_id, n), min_by(payout_id, n) || 'B', '',
       'matched'
FROM told WHERE paid = 'split' GROUP BY payout_id;
CREATE TABLE gateway AS
SELECT n * 2 AS n, CASE WHEN fault = 'conflict' THEN 'attempt' ELSE 'capture' END
         AS kind, reference AS payment_reference, payment_id,
       CASE via WHEN 'bank' THEN 'vietqr' ELSE via END || '/default' AS provider,
       coalesce(txn_id, 'N' || CAST(n AS VARCHAR)) AS provider_txn_id, amount,
       strftime(paid_at, '%Y-%m-%dT%H:%M:%S') AS "at", business_on,
       CASE via WHEN 'bank' THEN '0123456789' ELSE '' END AS bank_account,
       coalesce(bank_reference, '') AS bank_reference, budget_line, '' AS reference
FROM p
UNION ALL
SELECT n * 2 + 1, 'refund', reference, payment_id, via || '/default', txn_id, amount,
       strftime(paid_at, '%Y-%m-%dT%H:%M:%S'), business_on, '', '', budget_line,
       'RF' || CAST(n AS VARCHAR)
FROM p WHERE fault IN ('refunded', 'refund_first')
