-- The sum of millions of amounts, group by group. PostgreSQL's own of bigints keeps a state in memory of its own for each
-- group and answers a numeric; this one adds bigints, which is exact as well, and what is beyond a bigint it refuses.
CREATE AGGREGATE royalties_sum(bigint) (
    SFUNC = int8pl, STYPE = bigint, INITCOND = '0', COMBINEFUNC = int8pl, PARALLEL = SAFE
);
