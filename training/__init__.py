"""Learning from what was published. The top of the house: nothing imports it."""
