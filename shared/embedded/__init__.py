"""A real PostgreSQL and a real Apache Kafka out of Python wheels, for a machine that has neither.

    async with postgres(data / "postgres") as database, kafka(data / "kafka") as bus:
        ...  # database.url, bus.bootstrap_servers

Both belong to the process that started them: see `owner` for who may start, `server` for how a child is kept and
stopped, `leftovers` for what a killed owner left behind.
"""
