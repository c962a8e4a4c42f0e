# `make run` and `make test` do all their own set-up. A new machine needs python3, make and (for some tests) apt as root.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.stamp

export OPENBLAS_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The tests start a thousand processes of the bench: each would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

SYSTEM := system-sound system-wires system-certified system-runs system-simulated system-wheel

.PHONY: setup run test quick lint unit unit-signals unit-rooms system $(SYSTEM) bench comparison faults safety trace soak clean packages

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@bash tools/venv.sh $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt setuptools wheel
	$(BIN)/python -m pip install --quiet --no-build-isolation -c constraints.txt -e '.[dev]'
	@touch $(STAMP)

run: setup
	$(BIN)/offhook run simulated

# Debian packages that the system tests use; says what is missing when it cannot install them.
packages:
	@bash tools/packages.sh

# Four parts at a time, on two cores: two that mostly wait for real wires, and two that compute, which give way to them.
# As one ends the next begins, the longest first, and what it said is printed; one that fails stops none of the others.
# What parts of an earlier run wrote for `make trace` goes; what `make faults` wrote stays.
test: setup packages
	@rm -f $(filter-out build/trace/faults%,$(wildcard build/trace/*.json))
	@$(MAKE) --no-print-directory -k -j4 -O $(SYSTEM) unit-signals unit-rooms lint

quick: setup
	@$(MAKE) --no-print-directory -j2 unit-signals unit-rooms lint

lint: setup
	@mkdir -p build/types && ln -sfn ../.. build/types/offhook
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=build/types $(BIN)/mypy -p offhook.dsp -p offhook.drivers -p offhook.bench -p offhook.reports -p offhook.fixtures
	$(BIN)/lint-imports --no-cache

unit: setup
	@$(MAKE) --no-print-directory -j2 unit-signals unit-rooms

PYTEST := $(BIN)/python -m pytest -q --durations=10
COMPUTES := nice -n 10

# Those of the unit tests that take about half of their time; the other half is the rest, whatever is added.
SIGNALS := dsp drivers

unit-signals:
	OFFHOOK_PART=$@ $(COMPUTES) $(PYTEST) $(addprefix tests/unit/,$(SIGNALS))

unit-rooms:
	OFFHOOK_PART=$@ $(COMPUTES) $(PYTEST) tests/unit $(addprefix --ignore=tests/unit/,$(SIGNALS))

# On the wall clock: sound servers and a PBX; relay boards, instruments and what makes them safe.
SOUND := asterisk audio
WIRES := instruments safety wires

system: setup packages
	@$(MAKE) --no-print-directory -k -j4 -O $(SYSTEM)

system-sound:
	OFFHOOK_PART=$@ $(PYTEST) $(addprefix tests/system/,$(SOUND))

system-wires:
	OFFHOOK_PART=$@ $(PYTEST) $(addprefix tests/system/,$(WIRES))

system-certified:
	OFFHOOK_PART=$@ $(COMPUTES) $(PYTEST) tests/system/certification

system-wheel:
	OFFHOOK_PART=$@ $(COMPUTES) $(PYTEST) tests/system/test_wheel.py

system-runs:
	OFFHOOK_PART=$@ $(COMPUTES) $(PYTEST) tests/system/run

system-simulated:
	OFFHOOK_PART=$@ $(COMPUTES) $(PYTEST) tests/system tests/golden \
		$(addprefix --ignore=tests/system/,$(SOUND) $(WIRES) certification run test_wheel.py)

bench: setup
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks

# Ours, libspandsp and multimon-ng side by side; some minutes. Goes on where it was if it is stopped.
comparison: setup packages
	$(BIN)/offhook characterize compare --work build/comparison --page docs/comparison.md \
		--talk-off /usr/share/asterisk/sounds/en_US_f_Allison

# Every pair of wire and fault in docs/faults.md, and whether the bench called it what it is.
faults: setup
	$(BIN)/python tools/faults.py

# The fault matrix of docs/safety.md, on real wires: seconds to the safe state, and what was readable afterwards.
safety: setup packages
	$(BIN)/python tools/safety.py

trace: setup
	$(BIN)/python tools/trace.py

# Slow ones: twenty unattended associations on a real Asterisk, half of them with the lock, and 2,000 on the simulated station.
soak: setup packages
	$(BIN)/offhook run asterisk --suite association --only "(an_unlocked_phone or a_locked_phone) and desk-1" --repeat 10 --no-rates
	$(BIN)/python benchmarks/associations.py --at-once 0 --in-turn 2000

clean:
	rm -rf build dist $(VENV)
