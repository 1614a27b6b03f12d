"""From a tree to a program: bodies, contracts, events, wires."""
