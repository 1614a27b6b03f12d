"""The instructions that teach a model a space: forms, order, contracts in words, examples."""
