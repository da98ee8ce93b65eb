"""From the model's text to what is shown: an ordered list of pure filters. No state, no I/O."""
