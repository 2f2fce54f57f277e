"""Measures the search of a bundle: queries in a shopper's own words, titles' words, and a shop's search log."""
