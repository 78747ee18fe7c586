"""One change each, in the caller's transaction: rows and events together. API and pages call these."""
