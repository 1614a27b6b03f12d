"""One meaning: generated grammars, read by every reader of Lark notation."""
