"""Estimates from logged lists how much another arm or bundle would have earned: `python -m training.off_policy`.

May be imported by nothing else.
"""
