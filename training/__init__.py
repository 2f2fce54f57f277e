"""Trains bundles: from a shop's three tables to the folder that the service loads.

Not part of the wheel. README.md in this folder explains the tables, the stages and the commands.
"""
