"""Estimates from logged lists what another arm or bundle would have earned: `python -m training.off_policy`.

May be imported by nothing else.
"""
