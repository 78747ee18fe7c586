"""What the sandbox decides: pure functions of a seed and of what happened, without I/O."""
