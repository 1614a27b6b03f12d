"""Tests of statelang/inferring."""
