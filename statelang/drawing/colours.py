"""The colours of drawings, for light and for dark pages."""

# Hues that differ at equal lightness, as (light mode, dark mode). The last is grey, for calls of
# another machine; more actions than the others repeat them.
PALETTE = (
    ("#1d5fb8", "#7cb2f7"),
    ("#8a3fb0", "#cf9bec"),
    ("#0b7a55", "#5fd0a3"),
    ("#a8480a", "#f2a265"),
    ("#0a7487", "#5fcbdc"),
    ("#a92f62", "#f28fb7"),
    ("#6a6a00", "#cfca5c"),
    ("#56606e", "#aab6c6"),
)

_BASE = """
.state-diagram{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.state-diagram .box{fill:#f4f6fa;stroke:#7d8899;stroke-width:1.4}
.state-diagram .name{fill:#1c2430;font-weight:600;text-anchor:middle}
.state-diagram .mark{fill:#1c2430;stroke:#1c2430}
.state-diagram .ring{fill:none;stroke:#1c2430;stroke-width:1.6}
.state-diagram .line{fill:none;stroke-width:1.6}
.state-diagram .back{stroke-dasharray:5 4}
.state-diagram .label{text-anchor:middle;paint-order:stroke;stroke:#fff;stroke-width:5px;\
stroke-linejoin:round}
.state-diagram .loop{text-anchor:start}
.state-diagram .title{fill:#56606e;font-weight:600}
@media (prefers-color-scheme:dark){
.state-diagram .box{fill:#232b38;stroke:#76839a}
.state-diagram .name{fill:#e8edf5}
.state-diagram .mark{fill:#e8edf5;stroke:#e8edf5}
.state-diagram .ring{stroke:#e8edf5}
.state-diagram .label{stroke:#151a22}
.state-diagram .title{fill:#aab6c6}
}
"""


def style() -> str:
    """The style sheet of a drawing: each action has one colour for lines, arrows and label."""
    rules = [
        f".state-diagram .line.a{i}{{stroke:{light}}}"
        f".state-diagram .head.a{i},.state-diagram .label.a{i}{{fill:{light}}}"
        for i, (light, _) in enumerate(PALETTE)
    ]
    dark = [
        f".state-diagram .line.a{i}{{stroke:{dark}}}"
        f".state-diagram .head.a{i},.state-diagram .label.a{i}{{fill:{dark}}}"
        for i, (_, dark) in enumerate(PALETTE)
    ]
    return _BASE + "\n".join([*rules, "@media (prefers-color-scheme:dark){", *dark, "}\n"])
