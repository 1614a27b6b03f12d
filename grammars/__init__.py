"""The state spaces that ship with statelang: one `.lark` file each, and no code."""
