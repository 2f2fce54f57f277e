"""Measures how true, readable and fair the reasons and the copy of a bundle are.

May be imported by the commands `evaluate_reasons` and `write_content`.
"""
