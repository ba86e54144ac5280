"""`python -m workbench` is the command line."""

import sys

from workbench.ace.entry import main

sys.exit(main())
