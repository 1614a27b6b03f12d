"""Logits processors for transformers, Outlines, llama.cpp and vLLM."""
