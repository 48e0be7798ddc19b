-- Everything at last: voucher by voucher, on the first day that was open at its moment.
CREATE VIEW proved AS
SELECT 'payment' AS kind, p.id AS voucher, first_open(hanoi(p.noted_at), p.noted_at, z.last_on) AS day,
       'M1' AS debit, 'M9' AS credit, p.amount
FROM owed p ASOF JOIN closing z ON p.noted_at >= z.noted_at
UNION ALL
SELECT 'capture', y.capture_id, y.day, y.into, home(f.kind), f.amount
FROM paying y JOIN fee_line f ON f.payment_id = y.payment_id WHERE y.is_ordinary
UNION ALL
SELECT 'capture', y.capture_id, y.day, 'M2', 'M1', f.amount
FROM paying y JOIN fee_line f ON f.payment_id = y.payment_id WHERE y.is_ordinary
UNION ALL
SELECT a.kind, a.voucher, first_open(a.on_day, a.noted_at, z.last_on), a.debit, a.credit, a.amount
FROM entry a ASOF JOIN closing z ON a.noted_at >= z.noted_at
UNION ALL
SELECT 'remittance', line_id, day, '3370', '3330', phi FROM confirmed WHERE phi > 0
UNION ALL
SELECT 'remittance', line_id, day, '3330', '1130', net FROM confirmed;
CREATE TABLE summed AS
SELECT day, debit, credit, sum(amount) AS amount FROM proved GROUP BY ALL;
