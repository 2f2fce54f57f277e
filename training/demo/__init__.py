"""`make demo`, `make serve` and `make storefront`: a synthetic shop, from its tables to recommendations."""
