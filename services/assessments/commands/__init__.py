"""One change each, in the caller's transaction: rows and events together. Handlers, API and pages call these."""
