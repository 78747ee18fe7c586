"""`python -m keepwell` is the command `keepwell`."""

from keepwell.host.collecting import while_loading


def main() -> None:
    while_loading()
    from keepwell.cli.main import main as command  # noqa: PLC0415 - what a command loads is loaded after that

    command()


if __name__ == "__main__":
    main()
