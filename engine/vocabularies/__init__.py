"""What each token writes, read off tokenizers, and the tree of all tokens."""
