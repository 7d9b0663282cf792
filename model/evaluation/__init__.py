"""Measures of a version, a module each: what it predicts, and what its answers are like."""
