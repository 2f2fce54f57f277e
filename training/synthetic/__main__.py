"""Makes a synthetic shop: `python -m training.synthetic --items 2000 --users 3000 --seed 7 --out shop`."""

import sys

from training.synthetic.shop import main

sys.exit(main())
