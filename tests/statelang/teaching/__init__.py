"""Tests of statelang/teaching."""
