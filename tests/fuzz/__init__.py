"""Hostile and broken inputs: refused in one way, in bounded time and memory."""
