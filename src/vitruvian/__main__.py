"""``python -m vitruvian``: the command line."""

import sys

from vitruvian.commands.cli import main

sys.exit(main())
