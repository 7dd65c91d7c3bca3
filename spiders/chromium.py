"""Whether pages can be opened in a browser here: the extra, and a Chromium that is installed."""

import os
import shutil
from importlib.util import find_spec

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def chromium() -> str | None:
    """Return the path of the browser: CHROME_BIN, else the first of the usual names in the PATH."""
    named = os.environ.get("CHROME_BIN")
    if named:
        return shutil.which(named)
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


def missing() -> str | None:
    """Say what keeps pages from being opened in a browser, and the mend; None: nothing does."""
    if find_spec("playwright") is None:
        return "the browser extra is not installed; pip install 'nightdesk[browser]'"
    if chromium() is None:
        return (
            "no Chromium was found; install one (apt install chromium) or name its program in the environment"
            " variable CHROME_BIN"
        )
    return None
