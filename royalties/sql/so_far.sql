-- The charges that the month so far is made of: each work's until the day to which they may be told. While the month
-- runs nothing is taken off, for a figure that goes down between two mornings tells of the one whose charge it was.
CREATE VIEW royalties_charges_so_far AS
    SELECT f.* FROM playback_charge_facts f JOIN royalties_sofarwork w USING (work_id)
     WHERE f.charged_at >= w.begins_at AND f.charged_at < w.until_at AND (w.is_over OR f.reversed_at IS NULL);
