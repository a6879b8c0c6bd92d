# make demo    run the program on a demo cohort; look at demo-out/ afterwards
# make test    run the tests
# Nothing is needed beforehand but make and Python 3.11 or newer with venv (Debian 12: python3 python3-venv make).
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

DEBIAN  = chromium dovecot-imapd faketime openssl postfix postgresql systemd

.PHONY: help demo test test-again machine boot lint bench soak wheel-test pictures constraints clean

help:
	@sed -n '/^# make /s/^# //p' Makefile
	@echo "make machine what some tests drive beside Python, from Debian (root): $(DEBIAN)"
	@echo "make boot    the units under a real systemd, in namespaces of their own (root)"
	@echo "make lint    style, types, import contracts, dependencies"
	@echo "make bench   measure the speed goals, as ratios"
	@echo "make soak    the daemon under ten minutes of facts: latency, memory, CPU when idle"
	@echo "make wheel-test   run the tests against the installed wheel, away from this folder"
	@echo "make pictures   take the README's pictures anew, of the demo's mails and board"
	@echo "make clean   remove what make made"

demo: $(VENV)/.ready
	@$(BIN)/bipn-monitor demo --out demo-out

# Several at once: many of them wait for a daemon, a relay or a clock.
TEST    = -m pytest -q -n 3 --dist worksteal

test: $(VENV)/.ready $(VENV)/.sekmet
	$(BIN)/python $(TEST)

# What failed in the last run, alone and one after another; refused where more than five did: that is no bad luck.
test-again:
	@$(BIN)/python -c 'import json, sys; failed = json.load(open(".pytest_cache/v/cache/lastfailed")); \
		print(*failed, sep="\n"); sys.exit(len(failed) > 5)' || { echo "too many failed to be tried again" >&2; exit 1; }
	$(BIN)/python -m pytest -q --last-failed --last-failed-no-failures none

# Tests of a real Postfix, a real mailbox, a moved clock and the units skip, and say so, where these are not installed.
machine:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(DEBIAN) >/dev/null

boot: $(VENV)/.ready
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/e2e/boot_units.py

lint: $(VENV)/.lint-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

bench: $(VENV)/.ready
	$(BIN)/python -m bench.gates

soak: $(VENV)/.ready
	$(BIN)/python -m bench.soak

# What reads files that the wheel must bring: commands, configuration, mails, languages, the board, readers and their mappings, migrations.
ABOUT_THE_WHEEL = cli config delivery importers web test_catalogues.py test_said.py store/test_schema.py \
	$(addprefix service/test_,mappings.py fhir_file.py languages.py demo_feed.py) \
	$(addprefix e2e/test_,contract.py contract_postgresql.py demo_serve.py)
NOT_ABOUT_THE_WHEEL = delivery/test_looks.py importers/test_any_bytes.py importers/test_any_message.py \
	$(addprefix web/test_,authorisation.py browser_answers.py browser_pages.py door.py door_random.py door_served.py sign_in_browser.py)

wheel-test: $(VENV)/.ready
	rm -rf build/wheel-test && mkdir -p build/wheel-test/away
	$(BIN)/python -m build --wheel --no-isolation --outdir build/wheel-test .
	$(PYTHON) -m venv build/wheel-test/venv
	build/wheel-test/venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		"bipn-monitor[test] @ file://$$(ls $(CURDIR)/build/wheel-test/*.whl)"
	cp -R tests pyproject.toml build/wheel-test/away/
	cd build/wheel-test/away && env -u PYTHONPATH ../venv/bin/python -I $(TEST) -p no:cacheprovider \
		$(addprefix tests/,$(ABOUT_THE_WHEEL)) $(addprefix --ignore=tests/,$(NOT_ABOUT_THE_WHEEL))

pictures: $(VENV)/.ready
	$(BIN)/python -m docs.pictures

# After a change of the dependencies in pyproject.toml; needs uv (pip install uv).
constraints:
	uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-annotate --no-header --no-emit-index-url \
		--output-file constraints.txt pyproject.toml

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed: apt install python3, or make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing: apt install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) -e '.[test]'
	@touch $@

# A FHIR server to try against. It needs packages that ours must not see; where they cannot be had, its tests skip, and say so.
$(VENV)/.sekmet: tests/sekmet.txt $(VENV)/.ready
	@$(PYTHON) -m venv --clear --without-pip $(VENV)/sekmet && \
		$(BIN)/python -m pip --python $(VENV)/sekmet/bin/python install --quiet --disable-pip-version-check \
		--no-deps --no-compile -r tests/sekmet.txt && touch $@ || echo "no FHIR server to test against" >&2

$(VENV)/.lint-ready: $(VENV)/.ready
	@$(PIP) -e '.[test,lint]'
	@touch $@

clean:
	rm -rf $(VENV) build dist demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
