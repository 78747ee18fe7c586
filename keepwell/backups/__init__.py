"""Backups of the databases together with what is on its way in Kafka, and restores that send nothing twice."""
