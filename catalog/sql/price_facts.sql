-- What the apps to the right may read in SQL of what works ask: the figure in micros (null: the policy's default; 0: free),
-- and how long a track is.
CREATE VIEW catalog_price_facts AS SELECT id AS work_id, price_micros AS figure, duration_ms FROM catalog_work;
