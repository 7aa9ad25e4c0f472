-- The tables go with the migration before; what stands beside them goes here.
DROP FUNCTION royalties_refuse_payout_change() CASCADE;
DROP FUNCTION royalties_refuse_batch_change() CASCADE;
DROP FUNCTION royalties_refuse_payout_account_change() CASCADE;
DROP FUNCTION royalties_refuse_journal_change() CASCADE;
