"""`python -m workbench` is the command line."""

import sys

from workbench.ace.cli.main import main

sys.exit(main())
