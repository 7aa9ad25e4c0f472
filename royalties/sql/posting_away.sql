DROP FUNCTION royalties_forget_marks();
DROP FUNCTION royalties_keep_marks() CASCADE;
DROP TRIGGER posting_marks_are_never_emptied ON royalties_postingmark;
DROP FUNCTION royalties_posted_before();
