"""Every slip of the tests of `symrnn.repairs`, mended: what is found for each, and the time that it takes.

Run from the root of the project:

    python -m benchmarks.mending
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.repairs.test_repair import CHOSEN, check_slip


def main() -> None:
    """Mend all, and print what fails."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for old, new in CHOSEN:
            start = time.process_time()
            try:
                check_slip(old, new, Path(folder))
                said = "mended, named and shown"
            except AssertionError as error:
                failed += 1
                said = f"NOT: {str(error).splitlines()[0] if str(error) else 'nothing found'}"
            print(f"{time.process_time() - start:6.1f} s  {old!r} -> {new!r}: {said}", flush=True)
    print(f"{len(CHOSEN) - failed} of {len(CHOSEN)}")


if __name__ == "__main__":
    main()
