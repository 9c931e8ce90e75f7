"""``python -m vitruvian``: the command line."""

import sys

from vitruvian.cli import main

sys.exit(main())
