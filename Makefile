# Two commands: `make run` and `make test`. Each makes .venv from the lock first, if it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := envs/requirements.lock
CORES ?= $(shell getconf _NPROCESSORS_ONLN)
SCANS ?=
READERS := .venv-readers
LEARNER := .venv-learn
NNUNET := .venv-nnunet
TWINS ?= 5
SEEDS ?= 3
TO ?= reproduced
OPPONENTS ?= .venv-bench/bin/python
DATA ?= $(or $(SCANMILL_DATA),../shared/data)

.PHONY: run status test validate reproduce calibrate readers learner nnunet lint format real bench lock
.DEFAULT_GOAL := run

# The line that tells how far it is: scripts/snakemake_logger_plugin_scanmill.
run: $(VENV)/.complete
	PYTHONPATH="scripts$${PYTHONPATH:+:$$PYTHONPATH}" $(BIN)/snakemake --logger scanmill --cores $(CORES) $(if $(SCANS),--config "scans=$(SCANS)")

# A process more than cores: tests of clusters, PACS and interrupts mostly wait.
test: $(VENV)/.complete
	SCANMILL_DATA="$(abspath $(DATA))" SCANMILL_READERS="$(abspath $(READERS)/bin)" $(BIN)/python -m pytest --numprocesses $$(($(CORES) + 1)) --dist loadscope --no-loadscope-reorder --durations=15

# How far the run in the folder RUN is, from any shell that sees it.
status: RUN ?= .
status: $(VENV)/.complete
	$(BIN)/python scripts/status.py "$(RUN)"

# The cohort's own recipes on twins of TWINS of its cases, SEEDS of each, and the errors of the results;
# those of the example also as the README's table.
validate: run
	$(BIN)/python scripts/validate.py twins results/validation $(if $(SCANS),--scans "$(SCANS)") --twins $(TWINS) --seeds $(SEEDS) --cores $(CORES)
	$(BIN)/snakemake --directory results/validation --cores $(CORES) --config scans=scans.tsv report=false
	$(BIN)/python scripts/validate.py errors results/validation $(if $(SCANS),--scans "$(SCANS)",--readme README.md) --cores $(CORES)

# What jobs take, fitted to those of the run in the folder RUN, where it writes costs.yaml; and what jobs ask
# for by it, and what they used.
calibrate: RUN ?= .
calibrate: $(VENV)/.complete
	$(BIN)/python scripts/calibrate.py "$(RUN)"

# The run whose results are in RUN once more, in TO, and what differs. SCANS: a folder that its inputs lie
# below now; they are found by their checksums.
reproduce: RUN ?= results
reproduce: $(VENV)/.complete
	$(BIN)/python scripts/reproduce.py "$(RUN)" --to "$(TO)" $(if $(SCANS),--scans "$(SCANS)") --cores $(CORES)

# What exported DICOM objects and meshes are read back with; without it, those tests are skipped.
readers: $(READERS)/.complete
$(READERS)/.complete: envs/readers.lock
	rm -rf $(READERS)
	$(PYTHON) -m venv $(READERS)
	$(READERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

# What recipes train networks with (`method: learn`): PyTorch, on Linux with all that GPUs need.
learner: $(LEARNER)/.complete
$(LEARNER)/.complete: envs/learn.lock
	rm -rf $(LEARNER)
	$(PYTHON) -m venv $(LEARNER)
	$(LEARNER)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

# What trained nnU-Nets are converted with (scripts/convert_nnunet.py).
nnunet: $(NNUNET)/.complete
$(NNUNET)/.complete: envs/nnunet.lock
	rm -rf $(NNUNET)
	$(PYTHON) -m venv $(NNUNET)
	$(NNUNET)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

lint: $(VENV)/.complete
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

format: $(VENV)/.complete
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/snakefmt Snakefile rules

$(VENV)/.complete: $(LOCK)
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else "ScanMill needs Python 3.11 to 3.13; this is %d.%d. Say which: make PYTHON=python3.12 …" % v)'
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(LOCK)
	touch $@

# The cohort of public scans in DATA, and its figures as the README has them.
real: $(VENV)/.complete
	mkdir -p real
	$(BIN)/python tests/real/cohort.py "$(DATA)" real/scans.tsv
	$(BIN)/snakemake --directory real --cores $(CORES) --config scans=scans.tsv
	$(BIN)/python tests/real/published.py real/results "$(DATA)"

# Against the scripts in bench/, which have an environment of their own: see bench/README.md.
bench: $(VENV)/.complete
	$(BIN)/python bench/run.py .bench --opponents $(OPPONENTS)

# Needs uv. Resolves for every Python and platform at once; no package host is recorded.
lock: $(VENV)/.complete
	uv pip compile --universal --generate-hashes --no-header --quiet --no-emit-index-url --group test pyproject.toml --output-file $(LOCK)
	uv pip compile --universal --generate-hashes --no-header --quiet --no-emit-index-url --python-version 3.11 envs/learn.in --output-file envs/learn.lock
	uv pip compile --universal --generate-hashes --no-header --quiet --no-emit-index-url --python-version 3.11 envs/nnunet.in --output-file envs/nnunet.lock
	uv pip compile --universal --generate-hashes --no-header --quiet --no-emit-index-url --python-version 3.11 envs/readers.in --output-file envs/readers.lock
	$(BIN)/python envs/conda_environment.py
