-- What should match and does not, each with a kind (CONTRACT 6).
-- Proves: every line is a match or a break, and every capture that should be in a file is.
WITH open_line AS (
  SELECT l.* FROM line l WHERE NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)
), told AS (
  SELECT source, account, max(day_no) AS upto FROM line GROUP BY source, account
), settled AS (
  SELECT DISTINCT m.capture_id, x.source FROM matched m JOIN line x ON x.id = m.line_id
), reported AS (
  SELECT account, batch_id, sum(net) AS net FROM line
  WHERE source = 'provider' AND batch_id IS NOT NULL GROUP BY account, batch_id
), waiting AS (
  -- Accounts that may still pay something out.
  SELECT DISTINCT c.provider_account AS account FROM capture c
  WHERE c.bank_account IS NULL AND NOT c.is_cash
    AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.capture_id = c.id AND s.source = 'statement')
), marked AS (
  -- A payout may come before the report that lists it; once that is read through the payout's day,
  -- what no batch explains is a payer's words.
  SELECT k.line_id,
         max(CASE WHEN k.kind = 'remittance' THEN 1 ELSE 0 END) AS is_remittance,
         max(CASE WHEN k.kind = 'top_up' THEN 1 ELSE 0 END) AS is_top_up,
         max(CASE WHEN b.batch_id IS NOT NULL THEN 1 ELSE 0 END) AS is_listed,
         sum(CASE WHEN b.net = l.net THEN 1 ELSE 0 END) AS fitting,
         max(CASE WHEN v.account IS NOT NULL AND coalesce(t.upto, 0) < l.day_no
             THEN 1 ELSE 0 END) AS is_early
  FROM mark k
  JOIN line l ON l.id = k.line_id
  LEFT JOIN reported b ON b.account = k.provider_account AND b.batch_id = l.reference
  LEFT JOIN waiting v ON v.account = k.provider_account
  LEFT JOIN told t ON t.source = 'provider' AND t.account = k.provider_account
  GROUP BY k.line_id
)
SELECT CASE WHEN b.id IS NOT NULL OR (l.kind = 'payment' AND c.amount = l.gross) THEN 'duplicate'
            WHEN l.kind <> 'payment' THEN 'reversed'
            WHEN c.id IS NULL THEN 'unknown_money' ELSE 'amount' END AS kind,
       'line:' || l.id AS subject, abs(l.gross) AS amount, l.id AS line_id, c.id AS capture_id,
       CASE WHEN b.id IS NOT NULL OR (l.kind = 'payment' AND c.amount = l.gross)
            THEN 'the provider reports this ' || l.kind || ' twice'
            WHEN l.kind <> 'payment' THEN 'the provider reports a ' || l.kind || ' we did not ask'
            WHEN c.id IS NULL THEN 'the provider reports a payment we have not booked'
            ELSE 'the provider reports another amount than we booked' END AS why,
       l.booked_on AS since_on
FROM open_line l
LEFT JOIN capture c ON c.provider_account = l.account AND c.txn_id = l.txn_id
LEFT JOIN taken_back b ON b.provider_account = l.account AND b.kind = l.kind
 AND b.reference = l.reference AND b.amount = -l.gross
WHERE l.source = 'provider'
UNION ALL
SELECT CASE WHEN l.net < 0 AND k.is_remittance = 1 THEN 'batch_total'
            WHEN l.net < 0 THEN 'reversed'
            WHEN g.number IS NOT NULL OR h.line_id IS NOT NULL THEN 'amount'
            WHEN k.is_listed = 1 THEN 'batch_total'
            WHEN k.is_early = 1 THEN 'missing_at_provider'
            WHEN k.is_top_up = 1 AND w.payouts > 0 THEN 'charge'
            WHEN n.wanted > 1 THEN 'ambiguous' ELSE 'unknown_money' END,
       'line:' || l.id, abs(l.net), l.id, NULL,
       CASE WHEN l.net < 0 AND k.is_remittance = 1
            THEN 'the lines of this batch do not add up to the movement'
            WHEN l.net < 0 THEN 'money left the account and no rule knows why'
            WHEN g.number IS NOT NULL OR h.line_id IS NOT NULL
            THEN 'the bank counted another amount than left in this bag, or credits it twice'
            WHEN k.fitting > 1 THEN 'several accounts of this provider have such a batch'
            WHEN k.is_listed = 1 THEN 'the lines of this batch do not add up to the movement'
            WHEN k.is_early = 1 THEN 'a payout of a batch that no provider report lists yet'
            WHEN k.is_top_up = 1 AND w.payouts > 0
            THEN 'it makes good more charges than are booked, and a payout is not explained yet'
            WHEN n.wanted > 1 THEN 'the text may mean several payments'
            ELSE 'a credit that nothing in our books explains' END,
       l.booked_on
FROM open_line l
LEFT JOIN marked k ON k.line_id = l.id
CROSS JOIN (SELECT count(*) AS payouts FROM marked x JOIN open_line o ON o.id = x.line_id
            WHERE x.is_listed = 1 OR x.is_early = 1) w
LEFT JOIN (SELECT DISTINCT number FROM bag) g ON g.number = l.batch_id
LEFT JOIN (SELECT DISTINCT line_id FROM bag_named) h ON h.line_id = l.id
LEFT JOIN (SELECT n.line_id, count(*) AS wanted FROM candidate n
           JOIN payment p ON p.reference = n.reference GROUP BY n.line_id) n ON n.line_id = l.id
WHERE l.source = 'statement'
UNION ALL
SELECT CASE WHEN l.obligation_id IS NULL THEN 'batch_total'
            WHEN d.payment_id IS NULL THEN 'unknown_money'
            WHEN d.amount <> l.net THEN 'amount' ELSE 'duplicate' END,
       'line:' || l.id, abs(l.net), l.id, d.capture_id,
       CASE WHEN l.obligation_id IS NULL THEN 'no day''s collection on this line is this lump'
            WHEN d.payment_id IS NULL
            THEN 'the treasury names an obligation and budget line that we do not know as paid'
            WHEN d.amount <> l.net THEN 'the treasury booked another amount than is due'
            ELSE 'the treasury booked this obligation twice' END,
       l.booked_on
FROM open_line l
LEFT JOIN due d ON d.payment_id = l.obligation_id AND d.budget_line = l.budget_line
WHERE l.source = 'treasury'
UNION ALL
SELECT 'missing_at_provider', 'capture:' || c.id, c.amount, NULL, c.id,
       'the provider''s report of that day does not list it', c.value_on
FROM capture c
JOIN told t ON t.source = 'provider' AND t.account = c.provider_account AND t.upto >= c.business_no
WHERE c.bank_account IS NULL AND NOT c.is_cash  -- Cash was counted, and stands in no report.
  AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.capture_id = c.id AND s.source = 'provider')
  AND NOT EXISTS (SELECT 1 FROM line l WHERE l.source = 'provider'
                  AND l.account = c.provider_account AND l.txn_id = c.txn_id)
UNION ALL
SELECT 'missing_at_provider', 'capture:' || c.id, c.amount, NULL, c.id,
       'the bank''s statement of that day does not list this transfer', c.value_on
FROM capture c
JOIN told t ON t.source = 'statement' AND t.account = c.bank_account AND t.upto > c.business_no
WHERE c.bank_account IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.capture_id = c.id AND s.source = 'statement')
UNION ALL
SELECT 'missing_at_provider', 'shift:' || b.shift_id, sum(b.amount), NULL, NULL,
       'the bank has not counted this deposit bag in time', min(b.left_on)
FROM bag b
JOIN (SELECT max(upto) AS upto FROM told WHERE source = 'statement') t ON t.upto > b.seen_by_no
WHERE NOT EXISTS (SELECT 1 FROM matched m JOIN line x ON x.id = m.line_id
                  WHERE m.rule = '12-bag' AND x.net = b.amount
                    AND (x.batch_id = b.number OR EXISTS (SELECT 1 FROM bag_named r
                         WHERE r.line_id = x.id AND r.number = b.number)))
GROUP BY b.shift_id
UNION ALL
SELECT 'missing_at_treasury', 'capture:' || d.capture_id, sum(d.amount), NULL, d.capture_id,
       'the treasury has not confirmed it in time', min(d.booked_on)
FROM due d
JOIN (SELECT max(upto) AS upto FROM told WHERE source = 'treasury') t
  ON t.upto > d.confirm_by_no
WHERE NOT EXISTS (SELECT 1 FROM settled s WHERE s.capture_id = d.capture_id
                  AND s.source = 'treasury')
GROUP BY d.capture_id
