"""Estimates from logged lists how much another arm or bundle would have earned: `python -m training.off_policy`.

No other room may import it.
"""
