"""The console: each module holds the routes of one page, and of the forms on it."""
