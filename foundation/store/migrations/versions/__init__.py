"""Revisions. A released one is never edited."""
