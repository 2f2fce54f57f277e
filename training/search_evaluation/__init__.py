"""Measures the search of a bundle, and reports what people search for in a running shop."""
