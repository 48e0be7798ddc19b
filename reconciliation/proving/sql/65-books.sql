-- What nights add: lines that were explained, and what the treasury confirmed.
CREATE TABLE posted (line_id VARCHAR);
CREATE TABLE confirmed (line_id VARCHAR, day DATE, net BIGINT, phi BIGINT);
CREATE TABLE with_treasury (
  capture_id VARCHAR, payment_id VARCHAR, budget_line VARCHAR, business_on DATE, as_of BIGINT);
CREATE TABLE bag_seen (bag_id VARCHAR);
