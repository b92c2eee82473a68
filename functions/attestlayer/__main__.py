"""`python -m attestlayer`: the console command."""

import sys

from attestlayer.cli.main import main

sys.exit(main())
