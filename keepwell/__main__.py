"""`python -m keepwell` is the command `keepwell`."""

from keepwell.collecting import while_loading


def main() -> None:
    while_loading()
    from keepwell.cli import main as command  # noqa: PLC0415 - what a command loads is loaded after that

    command()


if __name__ == "__main__":
    main()
