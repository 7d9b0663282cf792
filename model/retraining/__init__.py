"""Retraining: a new version of a live one, which takes its place only if it is no worse."""
