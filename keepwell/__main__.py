"""`python -m keepwell` is the command `keepwell`."""

from keepwell.cli import main

main()
