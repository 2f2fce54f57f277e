"""Compares arms and bundles by logged lists: `python -m training.off_policy --data SHOP --placement home`."""

import sys

from training.off_policy.policy_value import main

sys.exit(main())
