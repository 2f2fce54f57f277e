"""From a shop's tables to checked events, items and profiles, and their train, validation and test parts.

May be imported by every other room of training but `synthetic`.
"""
