"""Curves and bars as inline SVG that follows the page's light or dark mode.

Knows nothing of the page: every line and bar is drawn in a stand-in colour, and the stand-ins
become the page's CSS variables `--ink`, `--grid` and those of `COLOURS`.
"""

import io
import re
from collections.abc import Mapping, Sequence

from attrs import frozen
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ("before", "after", "other")  # of the bars of the first, second and third series
_STAND_INS = {
    f"#0{number}0{number}0{number}": f"var(--{name})"
    for number, name in enumerate(("ink", "grid", *COLOURS))
}
_INK, _GRID, *_BARS = _STAND_INS


@frozen
class Bar:
    """One measured share, between 0 and 1, and its standard error where there is one."""

    share: float
    error: float = 0.0


def loss_curve(points: Sequence[tuple[float, float]], title: str) -> str:
    """Draw (step, loss) as it was logged, and the mean over neighbours over it."""
    figure, (axes,) = _figure(1, (5.2, 2.6))
    steps, losses = zip(*points, strict=True)
    axes.plot(steps, losses, color=_BARS[1], alpha=0.35, linewidth=1)
    axes.plot(steps, _smoothed(losses), color=_BARS[1], linewidth=1.8)
    axes.set_title(title, color=_INK, fontsize=10, loc="left")
    axes.set_xlabel("step", color=_INK)
    axes.set_ylabel("loss", color=_INK)
    axes.set_ylim(bottom=min(0.0, *losses))
    return _svg(figure, title)


def bars(
    panels: Mapping[str, Mapping[str, Sequence[Bar | None]]], groups: Sequence[str], title: str
) -> str:
    """Draw one panel for each measure: at each group a bar for each series, named once below.

    `panels` maps the measure to series (at most three) to one bar for each group, None where
    nothing was measured.
    """
    figure, all_axes = _figure(len(panels), (3.5 * len(panels), 2.9))
    for axes, (measure, series) in zip(all_axes, panels.items(), strict=True):
        width = 0.8 / len(series)
        for number, (name, row) in enumerate(series.items()):
            shift = (number - (len(series) - 1) / 2) * width
            shown = [(place, bar) for place, bar in enumerate(row) if bar is not None]
            errors = [100 * bar.error for _, bar in shown]
            axes.bar(
                [place + shift for place, _ in shown],
                [100 * bar.share for _, bar in shown],
                width * 0.92,
                yerr=errors if any(errors) else None,
                color=_BARS[number],
                error_kw={"ecolor": _INK, "elinewidth": 1.1, "capsize": 2.5},
                label=name,
            )
        axes.set_title(f"{measure}, %", color=_INK, fontsize=10, loc="left")
        axes.set_xticks(range(len(groups)), groups)
        axes.set_ylim(0, 105)
        axes.set_xlim(-0.6, len(groups) - 0.4)
    return _svg(figure, title)


def _figure(panels: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    # The figure is made without pyplot, so nothing global holds it after it is drawn.
    figure = Figure(figsize=size, layout="constrained")
    figure.patch.set_visible(False)
    row = [figure.add_subplot(1, panels, place + 1) for place in range(panels)]
    for axes in row:
        axes.patch.set_visible(False)
        axes.grid(axis="y", color=_GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(colors=_INK, labelcolor=_INK, labelsize=8.5, length=0)
        for side, spine in axes.spines.items():
            spine.set_visible(side == "bottom")
            spine.set_color(_GRID)
    return figure, row


def _smoothed(values: Sequence[float]) -> list[float]:
    """The mean of each value and its neighbours, a thirtieth of all on either side."""
    reach = len(values) // 30
    windows = (values[max(0, i - reach) : i + reach + 1] for i in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def _svg(figure: Figure, title: str) -> str:
    """Render the same figure to the same text always, fit to stand in a page beside others."""
    name = re.sub(r"\W+", "-", title)
    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # Its style sheet would rule the page's other drawings, its ids would clash with theirs.
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{name}-", text)
    text = re.sub(r'font-family: [^;"]*', "font-family: inherit", text)
    for stand_in, variable in _STAND_INS.items():
        text = text.replace(stand_in, variable)
    return text.replace("<svg ", '<svg class="plot" ', 1)
