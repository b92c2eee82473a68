"""`python -m attestlayer`: the console command."""

import sys

from attestlayer.cli import main

sys.exit(main())
