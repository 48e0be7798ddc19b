-- A lost quarrel whose fee is owed again: out of the account that owes it to the budget, or, where
-- the treasury has the money already, as a claim on the treasury.
INSERT INTO entry
SELECT 'dispute', d.id, CASE WHEN EXISTS (SELECT 1 FROM with_treasury w
         WHERE w.capture_id = d.capture_id AND w.as_of <= d.ended) THEN '1388' ELSE home(f.kind) END,
       '1381', f.amount, hanoi(d.ended), d.ended
FROM owed_again o JOIN dispute d ON d.id = o.dispute_id
JOIN fee_line f ON f.payment_id = o.payment_id
UNION ALL
SELECT 'dispute', d.id, 'M1', 'M2', f.amount, hanoi(d.ended), d.ended
FROM owed_again o JOIN dispute d ON d.id = o.dispute_id
JOIN fee_line f ON f.payment_id = o.payment_id;
