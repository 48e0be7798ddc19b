-- The treasury's list, as its own bytes say; NS20261119-00001 is a line of remittance NS20261119.
INSERT INTO file_line
SELECT $file, $taken, line_no, 'treasury', agency_code,
       document_ref || '|' || obligation_id || '|' || tieu_muc, CAST(booked_on AS DATE), 'revenue',
       CAST(amount AS BIGINT), 0, CAST(amount AS BIGINT), NULL, document_ref, document_ref,
       regexp_replace(document_ref, '-[0-9]+$', ''), nullif(obligation_id, ''), tieu_muc,
       CASE obligation_id WHEN '' THEN content END, NULL
FROM content;
