"""Fits the blocks of a bundle and the weights that fuse them; each stage is cached by its inputs and its code.

May be imported by `evaluation` and the rooms and commands above it.
"""
