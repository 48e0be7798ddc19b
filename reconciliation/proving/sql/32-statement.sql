-- A bank's statement, as its own bytes say.
INSERT INTO file_line
SELECT $file, $taken, line_no, 'statement', account,
       CASE line_id WHEN '' THEN 'day|' || booked_on || '|' || amount || '|' || reference
            ELSE 'id|' || line_id END,
       CAST(booked_on AS DATE), CASE WHEN CAST(amount AS BIGINT) > 0 THEN 'credit' ELSE 'debit' END,
       CAST(amount AS BIGINT), 0, CAST(amount AS BIGINT), NULL, nullif(line_id, ''),
       nullif(reference, ''), NULL, NULL, NULL, memo, NULL
FROM content;
