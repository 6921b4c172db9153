"""The decorator of inner loops: compiled by numba, the machine code kept between runs.

The first compiled function that a process runs makes numba import scipy.linalg, to learn whether it
could compile matrix products: 0.24 CPU seconds in each of a cohort's thousands of jobs, for nothing,
since no loop here has one. So numba is led to find none, by Python's own word for a module that cannot
be imported: https://docs.python.org/3/reference/import.html#the-module-cache
"""

import sys

import numba

BLAS = "scipy.linalg.cython_blas"

if BLAS not in sys.modules:
    sys.modules[BLAS] = None
    try:
        # Here numba looks for it, once.
        import numba.np.arraymath
    finally:
        del sys.modules[BLAS]

kernel = numba.njit(cache=True)
