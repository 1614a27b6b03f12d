"""Masks that lose no legal trace.

The usual mask leaves out whatever no way on was found from, by a search with a bound: it never
leads into a step that cannot be completed, but where the way is hard to find it loses legal traces.
"""

from __future__ import annotations

from typing import Final

from statelang.engine.masks.states import States
from statelang.walking.machine import Configuration
from statelang.walking.search import Node, Search

_MOST_WAYS: Final = 400


class Whole(States):
    """Masks that leave a token out if it breaks a contract, or if all ways on from it were tried
    and none completes the step."""

    def viable(self, after: Configuration) -> bool:
        """Whether the step may still be completed, for all that is known."""
        return super().viable(after) or not self._is_dead(after)

    def _is_dead(self, configuration: Configuration) -> bool:
        search, tools = Search(self.machine), self.machine.program.tools
        for thread, env in configuration.alive:
            seen: list[Node] = []

            def stepped(node: Node, seen: list[Node] = seen) -> bool:
                seen.append(node)
                return search.stepped(node)

            node = Node(thread, env, configuration.text)
            if tools is not None and env.registers[tools]:
                return False  # a search is no reason to run them
            way = search.from_node(node, search.shortest_first, 256, stepped, _MOST_WAYS)
            if way is not None or len(seen) > _MOST_WAYS:
                return False
        return True
