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
), missing AS (
  -- Transfers that the statement should list by now, by each day on which it may.
  SELECT c.id, c.bank_account AS account, c.amount, d.day_no
  FROM capture c
  JOIN told t ON t.source = 'statement' AND t.account = c.bank_account AND t.upto > c.business_no
  JOIN (SELECT id, day_no FROM capture UNION SELECT id, business_no FROM capture) d ON d.id = c.id
  WHERE NOT EXISTS (SELECT 1 FROM settled s WHERE s.capture_id = c.id AND s.source = 'statement')
), named AS (
  -- Which payment an open credit names, and whether a credit of this amount is its transfer already.
  SELECT l.id AS line_id, count(DISTINCT p.id) AS wanted,
         max(CASE WHEN e.capture_id IS NOT NULL THEN 1 ELSE 0 END) AS is_paid,
         max(CASE WHEN c.id IS NOT NULL AND e.capture_id IS NULL THEN 1 ELSE 0 END) AS is_open
  FROM open_line l
  JOIN candidate n ON n.line_id = l.id
  JOIN payment p ON p.reference = n.reference
  LEFT JOIN share s ON s.payment_id = p.id
  LEFT JOIN capture c ON c.id = s.capture_id AND c.bank_account = l.account AND c.amount = l.net
  LEFT JOIN settled e ON e.capture_id = c.id AND e.source = 'statement'
  WHERE l.source = 'statement' AND l.net > 0
  GROUP BY l.id
), unexplained AS (
  -- Of each day and amount: more transfers are missing than credits name nobody, or as many.
  SELECT m.account, m.amount, m.day_no, count(*) AS transfers, coalesce(max(u.credits), 0) AS credits
  FROM missing m
  LEFT JOIN (SELECT account, net, day_no, count(*) AS credits FROM open_line o
             WHERE source = 'statement' AND net > 0
               AND NOT EXISTS (SELECT 1 FROM candidate n WHERE n.line_id = o.id)
               AND NOT EXISTS (SELECT 1 FROM mark k WHERE k.line_id = o.id)
             GROUP BY account, net, day_no) u
    ON u.account = m.account AND u.net = m.amount AND u.day_no = m.day_no
  GROUP BY m.account, m.amount, m.day_no
), twice AS (
  -- The bank's own number of a movement, on a line that proved something already or stands before.
  SELECT DISTINCT o.id FROM line x JOIN open_line o ON o.source = 'statement'
   AND x.account = o.account AND x.txn_id = o.txn_id AND x.net = o.net
  WHERE x.source = 'statement'
    AND (x.id < o.id OR EXISTS (SELECT 1 FROM matched m WHERE m.line_id = x.id))
), part AS (
  SELECT obligation_id, budget_line, sum(net) AS net, count(DISTINCT reference) AS documents
  FROM open_line WHERE source = 'treasury' AND obligation_id IS NOT NULL
  GROUP BY obligation_id, budget_line
), known AS (
  SELECT DISTINCT x.obligation_id, x.budget_line, x.reference
  FROM open_line o
  JOIN line x ON x.source = 'treasury' AND x.obligation_id = o.obligation_id
   AND x.budget_line = o.budget_line AND x.reference = o.reference AND x.net = o.net
  WHERE o.source = 'treasury' AND EXISTS (SELECT 1 FROM matched m WHERE m.line_id = x.id)
), unconfirmed AS (
  SELECT DISTINCT d.budget_line, d.amount, d.day_no FROM due d
  WHERE NOT EXISTS (SELECT 1 FROM settled s WHERE s.capture_id = d.capture_id
                    AND s.source = 'treasury')
    AND NOT EXISTS (SELECT 1 FROM open_line o WHERE o.source = 'treasury'
                    AND o.obligation_id = d.payment_id AND o.budget_line = d.budget_line)
), misnamed AS (
  SELECT DISTINCT l.id FROM open_line l
  JOIN unconfirmed u ON u.budget_line = l.budget_line AND u.amount = l.net
   AND u.day_no BETWEEN l.day_no - 7 AND l.day_no
  WHERE l.source = 'treasury'
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
            WHEN c.id IS NULL AND a.reference IS NOT NULL THEN 'status_conflict'
            WHEN c.id IS NULL THEN 'unknown_money' ELSE 'amount' END AS kind,
       'line:' || l.id AS subject, abs(l.gross) AS amount, l.id AS line_id, c.id AS capture_id,
       CASE WHEN b.id IS NOT NULL OR (l.kind = 'payment' AND c.amount = l.gross)
            THEN 'the provider reports this ' || l.kind || ' twice'
            WHEN l.kind <> 'payment' THEN 'the provider reports a ' || l.kind || ' we did not ask'
            WHEN c.id IS NULL AND a.reference IS NOT NULL
            THEN 'the provider reports as paid what it told us had failed'
            WHEN c.id IS NULL THEN 'the provider reports a payment we have not booked'
            ELSE 'the provider reports another amount than we booked' END AS why,
       l.booked_on AS since_on
FROM open_line l
LEFT JOIN capture c ON c.provider_account = l.account AND c.txn_id = l.txn_id
LEFT JOIN taken_back b ON b.provider_account = l.account AND b.kind = l.kind
 AND b.reference = l.reference AND b.amount = -l.gross
LEFT JOIN (SELECT DISTINCT provider_account, reference FROM attempt) a
  ON a.provider_account = l.account AND a.reference = l.reference
WHERE l.source = 'provider'
UNION ALL
SELECT CASE WHEN l.net < 0 AND k.is_remittance = 1 THEN 'batch_total'
            WHEN l.net < 0 THEN 'reversed'
            WHEN g.number IS NOT NULL OR h.line_id IS NOT NULL THEN 'amount'
            WHEN k.is_listed = 1 THEN 'batch_total'
            WHEN k.is_early = 1 THEN 'missing_at_provider'
            WHEN k.is_top_up = 1 AND w.payouts > 0 THEN 'charge'
            WHEN t.id IS NOT NULL THEN 'duplicate'
            WHEN n.wanted > 1 THEN 'ambiguous'
            WHEN n.is_paid = 1 THEN 'double'
            WHEN n.is_open = 0 AND c.transfers > c.credits THEN 'wrong_reference'
            WHEN n.wanted IS NULL AND k.line_id IS NULL AND c.account IS NOT NULL THEN 'ambiguous'
            ELSE 'unknown_money' END,
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
            WHEN t.id IS NOT NULL THEN 'the bank lists this movement twice, by its own number'
            WHEN n.wanted > 1 THEN 'the text may mean several payments'
            WHEN n.is_paid = 1 THEN 'a second credit for a payment whose transfer is matched'
            WHEN n.is_open = 0 AND c.transfers > c.credits
            THEN 'the text names another payment than the transfer that is missing on this day'
            WHEN n.wanted IS NULL AND k.line_id IS NULL AND c.account IS NOT NULL
            THEN 'an equal transfer of this day has no credit, but nothing names it'
            ELSE 'a credit that nothing in our books explains' END,
       l.booked_on
FROM open_line l
LEFT JOIN marked k ON k.line_id = l.id
CROSS JOIN (SELECT count(*) AS payouts FROM marked x JOIN open_line o ON o.id = x.line_id
            WHERE x.is_listed = 1 OR x.is_early = 1) w
LEFT JOIN (SELECT DISTINCT number FROM bag) g ON g.number = l.batch_id
LEFT JOIN (SELECT DISTINCT line_id FROM bag_named) h ON h.line_id = l.id
LEFT JOIN named n ON n.line_id = l.id
LEFT JOIN twice t ON t.id = l.id
LEFT JOIN unexplained c
  ON c.account = l.account AND c.amount = l.net AND c.day_no = l.day_no
WHERE l.source = 'statement'
UNION ALL
SELECT CASE WHEN l.obligation_id IS NULL AND w.id IS NOT NULL THEN 'ambiguous'
            WHEN l.obligation_id IS NULL THEN 'batch_total'
            WHEN d.payment_id IS NULL THEN 'unknown_money'
            WHEN k.reference IS NOT NULL THEN 'duplicate'
            WHEN d.amount = l.net AND w.id IS NOT NULL THEN 'wrong_reference'
            WHEN d.amount = l.net THEN 'duplicate'
            WHEN p.documents > 1 AND p.net < d.amount THEN 'partial' ELSE 'amount' END,
       'line:' || l.id, abs(l.net), l.id, d.capture_id,
       CASE WHEN l.obligation_id IS NULL AND w.id IS NOT NULL
            THEN 'an equal amount is not confirmed, but nothing names it'
            WHEN l.obligation_id IS NULL THEN 'no day''s collection on this line is this lump'
            WHEN d.payment_id IS NULL
            THEN 'the treasury names an obligation and budget line that we do not know as paid'
            WHEN k.reference IS NOT NULL THEN 'the treasury booked this obligation twice'
            WHEN d.amount = l.net AND w.id IS NOT NULL
            THEN 'the treasury confirmed this payment already, and an equal one is not confirmed'
            WHEN d.amount = l.net THEN 'the treasury booked this obligation twice'
            WHEN p.documents > 1 AND p.net < d.amount
            THEN 'the treasury''s documents do not yet add up to what is due'
            ELSE 'the treasury booked another amount than is due' END,
       l.booked_on
FROM open_line l
LEFT JOIN due d ON d.payment_id = l.obligation_id AND d.budget_line = l.budget_line
LEFT JOIN part p ON p.obligation_id = l.obligation_id AND p.budget_line = l.budget_line
LEFT JOIN known k ON k.obligation_id = l.obligation_id AND k.budget_line = l.budget_line
 AND k.reference = l.reference
LEFT JOIN misnamed w ON w.id = l.id
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
  -- What an open line tells of is not missing: that line is the break.
  AND NOT EXISTS (SELECT 1 FROM open_line o WHERE o.source = 'treasury'
                  AND o.obligation_id = d.payment_id AND o.budget_line = d.budget_line)
  AND NOT EXISTS (SELECT 1 FROM (SELECT DISTINCT budget_line, day_no FROM open_line
                                 WHERE source = 'treasury' AND obligation_id IS NULL) o
                  WHERE o.budget_line = d.budget_line
                    AND o.day_no BETWEEN d.day_no AND d.confirm_by_no)
GROUP BY d.capture_id
UNION ALL
SELECT 'charge', 'line:' || l.id, abs(l.fee), NULL, m.capture_id,
       'the charge is not what is declared for this amount', l.booked_on
FROM line l
JOIN declared_charge c ON c.provider_account = l.account
JOIN matched m ON m.line_id = l.id
WHERE l.source = 'provider' AND l.kind = 'payment' AND l.fee IS NOT NULL
  AND abs((l.fee - c.fixed) * 1000000 - l.gross * c.rate_ppm) >= c.slack * 1000000
UNION ALL
SELECT 'wrong_reference', 'line:' || l.id, abs(l.gross), NULL, m.capture_id,
       'the provider''s report names another payment for this transaction', l.booked_on
FROM line l
JOIN payment p ON p.reference = l.reference
JOIN matched m ON m.line_id = l.id AND m.rule = '01-provider-id'
WHERE l.source = 'provider' AND l.kind = 'payment'
  AND NOT EXISTS (SELECT 1 FROM share s WHERE s.capture_id = m.capture_id AND s.payment_id = p.id)
