"""`make demo` and `make serve`: a synthetic shop from its tables to recommendations, as a newcomer meets it."""
