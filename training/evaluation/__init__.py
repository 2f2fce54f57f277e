"""Measures a bundle beside other models, decides whether it may go live, and writes the report.

May be imported by `reason_evaluation`, `off_policy` and the commands.
"""
