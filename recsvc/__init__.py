"""Personalised recommendations for online shops, each with a true reason. See the README for the map."""

__version__ = "0.2.0"
