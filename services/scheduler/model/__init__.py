"""The decisions of the scheduler: pure functions of values, without clock, database or network."""
