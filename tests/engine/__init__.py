"""Tests of statelang.engine."""
