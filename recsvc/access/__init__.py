"""Who may call: keys, tokens, scopes, limits of each caller, and the audit log. Knows no gRPC.

`service` and `server` may import it.
"""
