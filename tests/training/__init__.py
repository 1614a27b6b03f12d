"""Tests of statelang.training."""
