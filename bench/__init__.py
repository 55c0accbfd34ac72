"""Measurements as ratios against a floor in one run. `make bench BENCH="release --rows 10000000"`."""
