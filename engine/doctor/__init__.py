"""Before a run: all between a state space and a model that will go wrong.

`subject` reads a model's folder without its weights, `sample` draws traces and writes them in its
tokens; each other module is one kind of question, and what it finds has a page in `findings`.
"""
