"""Libraries take as many threads as a job was given: one, whatever the user's environment says."""

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
