"""The notifier's SQL. Every function takes the caller's reader or transaction; none ends it."""
