"""What an author's editor asks: hover, completion, rename, highlighting; and who answers.

The questions are answered from a text and an offset by pure functions, which need no library and
no sound file. Only `server` and `protocol` know pygls, only `highlighting` knows Pygments.
"""
