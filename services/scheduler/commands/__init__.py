"""One change each, in the caller's transaction: rows, events and timers together. Handlers and API call these."""
