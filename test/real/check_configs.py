"""Errors of the real Tiled in configuration files, each read as `tiled serve config` reads it: check_configs.py FILE...

Reports one line of JSON behind "REPORT ": for each file null, or the error.
"""

import json
import sys

from tiled.config import parse_configs


def problem(path):
    try:
        parse_configs(path)
        return None
    except Exception as error:
        return f"{type(error).__name__}: {error}"


print("\nREPORT", json.dumps([problem(path) for path in sys.argv[1:]]), flush=True)
