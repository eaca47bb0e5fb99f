"""Sets one report as PDF, in a process of its own: `python typesetting.py FOLDER FONTS`, the data on standard input.

No Django, no database, no secrets in the environment, and limits that the kernel keeps. FOLDER holds month.typ and may
hold logo.png; the PDF becomes FOLDER/out.pdf. What people typed comes in as data alone and is never read as markup.
"""

import datetime
import json
import resource
import sys
from pathlib import Path

MEMORY = 2 * 1024 * 1024 * 1024
CPU_S = 25
WRITTEN = 32 * 1024 * 1024


def limit() -> None:
    """From here on the kernel ends this process where it takes too much."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, WRITTEN),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def main() -> None:
    limit()
    import typst

    folder, fonts = Path(sys.argv[1]), Path(sys.argv[2])
    told = sys.stdin.read()
    compiler = typst.Compiler(
        str(folder / "month.typ"),
        root=str(folder),
        font_paths=[str(fonts)],
        ignore_system_fonts=True,
        sys_inputs={"data": told},
        package_path=str(folder),
        package_cache_path=str(folder),
    )
    frozen = datetime.datetime.fromisoformat(json.loads(told)["at"])
    compiler.compile(output=str(folder / "out.pdf"), format="pdf", timestamp=frozen)


if __name__ == "__main__":
    main()
