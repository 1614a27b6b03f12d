"""Which tokens are legal in a state: tables by place, rows of bits, what is kept of them."""
