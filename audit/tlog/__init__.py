"""The log's public formats, pure: RFC 6962 hashing and C2SP notes, checkpoints and proofs.

Nothing here knows a database, a clock, Django or any other part of Sayso, so that another
organisation can run it to check us.
"""
