"""The form of a sentence: patterns, lexicon, recipes, and the parser that checks a sentence against them."""
