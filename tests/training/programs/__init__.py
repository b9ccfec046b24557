"""Programs that speak the contract of `training/learn` and misbehave as the policies of a run ask them to."""
