"""The steps of loading a file; `release.actions.versions.ingest` is the deed."""
