"""`python -m perolux` is the command line."""

from perolux.cli import main

if __name__ == "__main__":
    main()
