-- The tables, and with them their triggers, go with the migration itself; the functions go here.
DROP FUNCTION royalties_take_the_pen() CASCADE;
DROP FUNCTION royalties_keep_balances() CASCADE;
DROP FUNCTION royalties_refuse_account_change() CASCADE;
