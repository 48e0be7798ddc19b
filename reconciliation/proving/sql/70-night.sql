-- One night again: what a run could explain with all that was there at its moment, and no more.
CREATE OR REPLACE TEMP TABLE there AS
SELECT * FROM waiting UNION ALL
SELECT * EXCLUDE (night) FROM coming WHERE night = getvariable('night');
-- What people explained is not looked at while their word stands; a line that says otherwise of
-- money which has its line, or is a loss, is not booked either.
CREATE OR REPLACE TEMP TABLE in_hand AS
SELECT * FROM handed WHERE since <= getvariable('as_of') AND until > getvariable('as_of');
CREATE OR REPLACE TEMP TABLE pending AS
SELECT * FROM there WHERE booked_on <= getvariable('business_on')
 AND NOT EXISTS (SELECT 1 FROM in_hand h WHERE h.line_id = there.id);
DELETE FROM posted;
