"""Floor 6: figures of networks with memory, and a report that contains them."""

import os
import sys
from contextlib import suppress

if "matplotlib" not in sys.modules:
    # matplotlib cannot be imported if MPLBACKEND names a backend that is not installed, such as that of a notebook.
    # The figures need none.
    backend = os.environ.pop("MPLBACKEND", None)
    import matplotlib

    if backend is not None:
        os.environ["MPLBACKEND"] = backend
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend
