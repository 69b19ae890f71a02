"""Style: the style of all figures, with colours that colour-blind readers can distinguish."""

from contextlib import AbstractContextManager

import matplotlib.style
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.text import Text

DPI = 200
"""Pixels per inch of every figure; panels have integer sizes in these pixels."""

INK = "#1f1f1f"
MUTED = "#6b6b6b"
HAIRLINE = "#b8b8b8"
NOT_SHOWN = "#ececec"
"""Background of missing values, which differs from the colour of zero."""
BLUE = "#0072b2"
VERMILION = "#d55e00"
GREEN = "#009e73"
PURPLE = "#cc79a7"
"""Four of the eight colours of Okabe & Ito (2008), "Color universal design"."""

SMALL = 6.5
"""Size of the smallest text, in points."""

# The lightness L* decreases linearly from 100 to 12, so that equal differences look equal, also in grey.
INK_ON_PAPER: Colormap = LinearSegmentedColormap.from_list(
    "memtape_ink",
    ["#ffffff", "#c4e4fc", "#91c7f2", "#67a9e2", "#4a8ac8", "#3d6da5", "#37507b", "#2f364e", "#1f1f1f"],
)
GREY: Colormap = LinearSegmentedColormap.from_list("memtape_grey", ["#ffffff", INK])
# ColorBrewer's RdBu with a white centre: zero must look as in the other panels, not like a missing value.
_REDS = ("#fddbc7", "#f4a582", "#d6604d", "#b2182b", "#67001f")
_BLUES = ("#053061", "#2166ac", "#4393c3", "#92c5de", "#d1e5f0")
SIGNED: Colormap = LinearSegmentedColormap.from_list("memtape_signed", [*_BLUES, "#ffffff", *_REDS])

_SETTINGS = {
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"],
    "font.size": 8.0,
    "mathtext.fontset": "dejavusans",
    "text.parse_math": False,  # a name may have a dollar sign
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 7.5,
    "axes.labelpad": 3.0,
    "axes.linewidth": 0.5,
    "axes.titlesize": 8.0,
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 7.0,
    "xtick.major.size": 2.5,
    "xtick.major.width": 0.5,
    "xtick.minor.size": 0.0,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 7.0,
    "ytick.major.size": 2.5,
    "ytick.major.width": 0.5,
    "ytick.minor.size": 0.0,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.5,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
    "svg.fonttype": "none",
    "svg.hashsalt": "memtape",
}


def paper_style() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws in this style, independent of the user's settings."""
    # Drawing and saving both need it: some settings are looked up when a text is made, others when it is rendered.
    return matplotlib.style.context(_SETTINGS, after_reset=True)


def muted(text: Text) -> Text:
    """Make a text small and grey, and return it.

    Args:
        text: the text to change.
    """
    text.set_fontsize(SMALL)
    text.set_color(MUTED)
    return text
