"""Text that a shop wrote: names and words that may, or may not, appear in a sentence."""
