"""The grammar of sentences: patterns, lexicon, recipes, and the parser that checks a sentence against them.

May be imported by the rest of `recsvc.reasons`.
"""
