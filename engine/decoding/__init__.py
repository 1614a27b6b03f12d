"""A decoding loop of our own: forced text, steps written again, an author for every token."""
