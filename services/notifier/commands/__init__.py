"""What the notifier is asked to do: each decision with its rows, events and timers, in the caller's transaction."""
