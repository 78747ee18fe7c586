"""Decisions of the assessments service: pure functions and frozen types."""
