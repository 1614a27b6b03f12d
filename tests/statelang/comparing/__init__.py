"""Tests of statelang/comparing."""
