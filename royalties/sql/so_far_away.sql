DROP VIEW royalties_charges_so_far;
