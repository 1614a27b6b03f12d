"""Tests of statelang.commands."""
