"""Tests of `doctor`: folders with a tokenizer and configurations, made in code."""
