"""`python -m worker` is `signoff`."""

from worker.cli import main

if __name__ == "__main__":
    main()
