"""The grammar of sentences: patterns, lexicon, recipes, and the parser that checks a sentence against them."""
