"""All commands with a line each: `python -m experiments`."""

import sys

from experiments.commands import listing

if __name__ == "__main__":
    try:
        print(listing(), flush=True)
    except BrokenPipeError:  # as under `| head`
        sys.stderr.close()
        sys.exit(1)
