"""Tests of statelang/traces."""
