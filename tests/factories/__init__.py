"""Rows for tests, written straight into the database: one function per model, each row valid.

A test about a deed reaches its state through the deeds; these are for what lies below them.
Persons are made-up handles.
"""
