"""The program around a Glue script: `python -I -S -B bootstrap.py SETTINGS SCRIPT ARGUMENT...`

SETTINGS is JSON: {"first": [paths before the standard library], "last": [paths after it],
"failure": file to write the script's exception to}. Started with -S, the interpreter has read no .pth file
and no site-packages, so an editable install of a checkout is not importable; site-packages itself
comes by "last". Only the standard library may be imported here.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import site
import sys
import threading
import traceback
from pathlib import Path


def main() -> None:
    """Run the script as `__main__`; its exception ends up in the failure file, and the exit status is 1."""
    given, script, *arguments = sys.argv[1:]
    settings = json.loads(given)
    sys.path[:] = [*settings["first"], *sys.path, *settings["last"]]
    sys.argv = [script, *arguments]
    site.setquit()  # exit() and quit(), which -S leaves out
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as error:
        if error.code not in (None, 0):
            _report(settings["failure"], error)
        raise
    except BaseException as error:  # noqa: BLE001 - a script may raise anything
        _report(settings["failure"], error)
        traceback.print_exc()
        raise SystemExit(1) from None


def _report(file: str, error: BaseException) -> None:
    Path(file).write_text(f"{type(error).__name__}: {error}", encoding="utf-8")


def _die_with_parent() -> None:
    """Nothing is ever written to standard input: its end means that the parent has died."""
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
