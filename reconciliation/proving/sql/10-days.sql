-- Hanoi's days, how banks' texts are compared, and the numbers of deposit bags.
-- Hanoi is seven hours ahead of UTC and has no summer time.
CREATE MACRO hanoi(us) AS DATE '1970-01-01' + CAST((us + 25200000000) // 86400000000 AS INTEGER);
CREATE MACRO day_start(on_day) AS
  CAST(on_day - DATE '1970-01-01' AS BIGINT) * 86400000000 - 25200000000;
CREATE MACRO folded(words) AS
  upper(strip_accents(replace(replace(words, 'đ', 'd'), 'Đ', 'D')));
CREATE MACRO bag_number(words) AS list_filter(list_transform(string_split(folded(words), ' '),
  lambda w: regexp_replace(w, '[^0-9A-Z]', '', 'g')), lambda w: regexp_matches(w, '[0-9]'))[1];
-- What an address says under a name; a regular expression takes three times as long, on each notice.
CREATE MACRO asked(query, name) AS
  split_part(split_part('&' || query, '&' || name || '=', 2), '&', 1);
-- A time with an offset says its own; one without is Hanoi's.
CREATE MACRO instant(words) AS epoch_us(TRY_CAST(words AS TIMESTAMP))
  - CASE WHEN suffix(words, 'Z') THEN 0
         WHEN regexp_matches(words, '[+-][0-9]{2}:?[0-9]{2}$') THEN 0 ELSE 25200000000 END;
-- What belongs to a day that is closed already is booked on the first day after; a day that no
-- account can mean, two weeks ahead or more, is the day of the word itself.
CREATE MACRO first_open(on_day, noted_at, last_closed) AS greatest(
  CASE WHEN on_day - hanoi(noted_at) <= 14 THEN on_day ELSE hanoi(noted_at) END, last_closed + 1);
CREATE MACRO home(kind) AS CASE kind WHEN 'le_phi' THEN '3330' ELSE '3370' END;
CREATE TABLE word (
  id VARCHAR, holder VARCHAR, received BIGINT, txn_id VARCHAR, amount BIGINT, reference VARCHAR,
  serial BIGINT, memo VARCHAR, paid BIGINT, payment_reference VARCHAR);
CREATE TABLE file_line (
  file_id VARCHAR, taken BIGINT, line_no INTEGER, source VARCHAR, account VARCHAR, name VARCHAR,
  booked_on DATE, kind VARCHAR, gross BIGINT, fee BIGINT, net BIGINT, txn_at BIGINT,
  txn_id VARCHAR, reference VARCHAR, batch_id VARCHAR, obligation VARCHAR, budget_line VARCHAR,
  memo VARCHAR, value_on DATE);
-- What is rare, and what nights book: few rows, each with the day it belongs to and its moment.
CREATE TABLE entry (
  kind VARCHAR, voucher VARCHAR, debit VARCHAR, credit VARCHAR, amount BIGINT, on_day DATE,
  noted_at BIGINT);
CREATE TABLE finding (what VARCHAR);
