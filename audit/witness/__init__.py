"""A witness: it signs that a log only ever grew, for logs that it was told to watch.

Meant to run at another organisation: it knows nothing of Sayso but `audit.tlog`, needs no Django
and no server, and keeps its own key and its own SQLite file. C2SP tlog-witness:
https://c2sp.org/tlog-witness.
"""
