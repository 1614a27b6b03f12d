"""Tests of statelang/drawing."""
