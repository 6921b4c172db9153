"""Libraries take one thread, and the same functions, whatever the user's environment says."""

import json

import pytest
from mill import snakemake

GUARD = 'if __name__ == "__main__":\n'
# How many threads the libraries would take, and how many the process has once each has worked.
PLANTED = f"""{GUARD}    import json, os
    from pathlib import Path
    import numba, numpy, scipy.linalg, SimpleITK
    from vtkmodules.vtkCommonCore import vtkSMPTools
    square = numpy.ones((400, 400))
    scipy.linalg.svd(square @ square)
    image = SimpleITK.GetImageFromArray(numpy.zeros((40, 40, 40), numpy.float32))
    SimpleITK.SmoothingRecursiveGaussian(image, 2.0)
    taken = {{
        "ITK": SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads(),
        "VTK": vtkSMPTools.GetEstimatedNumberOfThreads(),
        "numba": numba.get_num_threads(),
        "process": len(os.listdir("/proc/self/task")),
    }}
    Path("taken.json").write_text(json.dumps(taken))
"""
VARIABLES = (
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VTK_SMP_MAX_THREADS",
)


@pytest.mark.parametrize("asked", [None, "2"])
def test_libraries_take_one_thread(workshop, monkeypatch, asked):
    copy, folder = workshop
    script = copy / "scripts" / "ingest.py"
    script.write_text(script.read_text().replace(GUARD, PLANTED))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        if asked:
            monkeypatch.setenv(name, asked)
    monkeypatch.setenv("VTK_SMP_BACKEND_IN_USE", "STDThread")
    wanted = "results/cases/one/volume.nii.gz"
    done = snakemake(folder, wanted, "--configfile", "config.yaml", root=copy, cores=2)
    assert done.returncode == 0, done.stdout
    taken = json.loads((folder / "taken.json").read_text())
    assert taken == {"ITK": 1, "VTK": 1, "numba": 1, "process": 1}


SUMS = f"""{GUARD}    import hashlib
    from pathlib import Path
    import numpy
    values = numpy.random.default_rng(0).normal(size=(300, 300))
    found = numpy.exp(values @ values.T / 300).tobytes()
    Path("sums.txt").write_text(hashlib.sha256(found).hexdigest())
"""


def test_numbers_do_not_depend_on_the_newest_that_the_processor_can_do(workshop, monkeypatch):
    copy, folder = workshop
    script = copy / "scripts" / "ingest.py"
    script.write_text(script.read_text().replace(GUARD, SUMS))
    wanted = "results/cases/one/volume.nii.gz"
    found = set()
    for kernels in (None, "Sandybridge", "SkylakeX"):
        for name in ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES"):
            monkeypatch.delenv(name, raising=False)
        if kernels:
            monkeypatch.setenv("OPENBLAS_CORETYPE", kernels)
        arguments = (wanted, "--configfile", "config.yaml", "--forceall")
        done = snakemake(folder, *arguments, root=copy, cores=2)
        assert done.returncode == 0, done.stdout
        found.add((folder / "sums.txt").read_text())
    assert len(found) == 1
