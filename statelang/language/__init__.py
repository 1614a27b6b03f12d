"""A file read: its tokens, its tree, its rules and terminals, and how it is written."""
