"""The SQL of the assessments service. Each function takes a reader or a transaction first, and none commits."""
