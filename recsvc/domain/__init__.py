"""The nouns of the shop and of a request: frozen types with almost no behaviour.

Every other room may import it. It imports no room.
"""
