"""The parts of the synthetic shop: words > catalogue > shoppers > demand > events. `training.synthetic` joins them."""
