"""From a shop's tables to checked events, items and profiles, and their train, validation and test parts.

Every other room of training may import it.
"""
