"""Run the command line as `python -m fimble`."""

from fimble.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
