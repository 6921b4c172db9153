"""What keeps the last digits of results from depending on the processor.

Of many functions OpenBLAS and NumPy have several versions, and take the newest that the processor can
run. These differ in last digits, so that nodes of one cluster would not give the same bytes.
"""

import re
from pathlib import Path

TOLD = Path("/proc/cpuinfo")
# Of the first core, in characters: a machine has many, and all are alike.
ENOUGH = 8192
NEEDED = {"avx2", "fma"}
# What x86 processors have had since 2013 is used, and nothing newer.
SETTLED = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}


def settled() -> dict[str, str]:
    """Environment variables by which all processors do alike; none for one that is older or no x86."""
    if not TOLD.exists():
        return {}
    with open(TOLD, encoding="utf-8") as stream:
        found = re.search(r"^flags\s*:(.*)$", stream.read(ENOUGH), re.MULTILINE)
    return SETTLED if found and set(found[1].split()) >= NEEDED else {}
