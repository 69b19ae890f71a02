# make demo      set up, train the Neural Turing Machine on copy, evaluate it far beyond its training lengths
# make setup     install the tested versions of the dependencies, compile the kernels if their sources or the compiler changed
# make test      set up, run all checks, and the tests without the markers slow and every_form
# make test-all  the tests with these markers too
# make test-sanitize  the kernels under the sanitizers of the compiler
# make test-processors  the parts that compute, as on processors with other instructions
# make docs      build the documentation site, docs/_build/index.html; warnings are errors
# make generated write the public names and the tables of models and tasks from their cards
# make format    format the code

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUN := runs/demo-$(shell date +%Y%m%d-%H%M%S)
# the parts of the library are tested with every annotation of a shape executed, the rest as users run it; in files
# without shapes these checks would only repeat those of mypy
PARTS := $(addprefix tests/,core ops kernels cells memory laws models nn tasks training viz sharing inference ports)
SHAPED := $(shell grep -rl "^from jaxtyping" src/memtape --include=*.py | sed "s,src/,,; s,/,.,g; s,.py$$,," | paste -sd,)
CHECKED := --jaxtyping-packages=$(SHAPED),beartype.beartype $(PARTS)
WHOLE := $(addprefix --ignore=,$(PARTS)) tests README.md CONTRIBUTING.md docs --doctest-modules src/memtape

# the parts whose sums another processor rounds otherwise; torch and the kernels each have their own builds
COMPUTING := $(addprefix tests/,core ops cells memory laws models parity golden ports)
# the processes take files in the order of their names: the few slow tests of end_to_end come early
BY_FILE := --dist loadfile --no-loadscope-reorder
LIGHT := not slow and not every_form
TORCH := default avx2
KERNELS := portable x86-64-v3 x86-64-v4

INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt
# the kernels are compiled while the dependencies are downloaded
DEPENDENCIES := $(BIN)/python -c \
	"import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
	print(*project['dependencies'], *project['optional-dependencies']['cli'], sep='\n')"

export OMP_NUM_THREADS ?= 1

.PHONY: setup demo test test-all test-sanitize test-processors lint docs generated format clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt hatch_build.py $(wildcard csrc/* csrc/*/*)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1" "hatchling>=1.25"
	$(BIN)/python hatch_build.py & $(DEPENDENCIES) | $(INSTALL) --group test --requirement /dev/stdin && wait
	$(INSTALL) --editable '.[cli]'
	touch $(READY)

demo: $(READY)
	$(BIN)/memtape train ntm copy --out $(RUN)
	$(BIN)/memtape evaluate $(RUN) --lengths 10 20 30 50 120

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -n 2 -m "$(LIGHT)" $(CHECKED)
	$(BIN)/python -m pytest -n 2 $(BY_FILE) -m "$(LIGHT)" $(WHOLE)

test-all: lint
	$(BIN)/python -m pytest -n 2 $(CHECKED)
	$(BIN)/python -m pytest -n 2 $(BY_FILE) $(WHOLE)

test-sanitize:
	tests/sanitize/run.sh

test-processors: $(READY)
	$(BIN)/python -m pytest -n 2 -m "$(LIGHT)" $(COMPUTING)
	for level in $(TORCH); do \
		ATEN_CPU_CAPABILITY=$$level $(BIN)/python -m pytest -n 2 -m "$(LIGHT)" $(COMPUTING) || exit 1; \
	done
	for build in $(KERNELS); do \
		MEMTAPE_INSTRUCTIONS=$$build $(BIN)/python -m pytest -n 2 -m "$(LIGHT)" $(COMPUTING) || exit 1; \
	done

docs: $(READY)
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs docs/_build

generated: $(READY)
	$(BIN)/python docs/generated.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) docs/_build docs/api
