"""Checks a shop's tables: `python -m training.data --data DIR`."""

import sys

from training.data.shop import main

sys.exit(main())
