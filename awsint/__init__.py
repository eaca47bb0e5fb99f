"""AWS Support cases and AWS Health events become tickets."""
