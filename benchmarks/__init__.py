"""What Keepwell does in a second, each figure beside its bare limit in the same run."""
