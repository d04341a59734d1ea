"""Run as `python -m fks_master`."""

from fks_master.cli import main

if __name__ == "__main__":
    main()
