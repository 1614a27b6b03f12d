"""The rows of a benchmark: as text, as JSON, as a plot."""

from __future__ import annotations

import json
from pathlib import Path

from attrs import asdict, define, field


@define
class Line:
    """One row of the table: what it measures, in which unit, and a figure for each engine.

    `fastest` is the figure that ours are compared with, where the row has no peer's.
    """

    name: str
    unit: str
    figures: dict[str, float] = field(factory=dict)
    fastest: float | None = None

    def text(self) -> str:
        """The row as text; ours with the ratio of the fastest peer to it."""
        best = self.best()
        lines = [f"{self.name} ({self.unit})"]
        for name, x in self.figures.items():
            ratio = f"  fastest peer / this: {best / x:.2f}" if best and _is_ours(name) else ""
            lines.append(f"    {name:<44}{x:>14,.3f}{ratio}")
        return "\n".join(lines)

    def best(self) -> float | None:
        """The fastest peer's figure; None for a row of counts."""
        if not any(map(_is_ours, self.figures)):
            return None
        others = [x for name, x in self.figures.items() if not _is_ours(name)]
        return min(others, default=self.fastest)


def _is_ours(name: str) -> bool:
    return name.startswith("statelang")


def write(lines: list[Line], file: Path) -> None:
    """Write the rows to FILE.json, and those that compare engines to FILE.png."""
    rows = [asdict(line) for line in lines]
    file.with_suffix(".json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    _plot([line for line in lines if len(line.figures) > 2 and line.best()], file)


def _plot(lines: list[Line], file: Path) -> None:
    """Bars on a logarithmic scale, three rows beside each other."""
    from matplotlib.figure import Figure

    high = -(-len(lines) // 3)
    figure = Figure(figsize=(24, 2.2 * high), layout="constrained")
    for index, line in enumerate(lines):
        axes = figure.add_subplot(high, 3, index + 1)
        names = list(line.figures)[::-1]
        colours = ["tab:green" if _is_ours(name) else "tab:gray" for name in names]
        axes.barh(names, [line.figures[name] for name in names], color=colours)
        axes.set_xscale("log")
        axes.set_title(f"{line.name} ({line.unit})", fontsize=8)
        axes.tick_params(labelsize=7)
    figure.savefig(file.with_suffix(".png"), dpi=80)
