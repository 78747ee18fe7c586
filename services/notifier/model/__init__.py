"""What the notifier decides: pure functions and frozen types, without SQL, clock, network or settings."""
