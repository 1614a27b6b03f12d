"""`python -m statelang` is the command line."""

import sys

from statelang.cli import main

if __name__ == "__main__":
    sys.exit(main())
