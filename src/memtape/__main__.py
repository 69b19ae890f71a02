"""Run the command line as `memtape` or `python -m memtape`; without its packages, say which one is missing."""

import sys
from typing import NoReturn

from memtape.core.extra import MissingPackageError, importing


def main() -> NoReturn:
    """Run the command and exit."""
    try:
        with importing("the command"):
            from memtape.cli.main import main as command
    except MissingPackageError as error:
        print(f"memtape: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    command()


if __name__ == "__main__":
    main()
