"""The language of contracts: values, expressions, their types, what they leave a field."""
