"""What can go wrong with a backup or a restore, each with what to do about it."""


class BackupError(Exception):
    """A backup or a restore that cannot be carried out; the message says why and what to do."""
