"""What traces do in a space: how far from legal, what they visit, how they are carried over."""
