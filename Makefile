# Every command of the project. CI calls these and nothing else. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
LOCK := requirements/dev.txt
STAMP := .venv/installed-$(shell sha256sum $(LOCK) | cut -c1-16)
LOCKING := uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11 --universal

.PHONY: help demo run test whole bare check bench faults portal-report lock messages format setup packages

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: setup ## the main job end to end in the terminal (DATA=FILE MAPPING=FILE: on a real file)
	@SAYSO_DEMO=1 $(PY) manage.py demo $(if $(DATA),--data "$(DATA)") $(if $(MAPPING),--mapping "$(MAPPING)")

run: setup ## serve the demonstration's world on 127.0.0.1:8000
	@SAYSO_DEMO=1 $(PY) manage.py demo --serve

test: setup packages ## every test this machine can run, or ONLY="FILE …"; says what it could not run, and why
	@PYTHONPATH=. $(PY) scripts/test.py $(ONLY)

whole: setup packages ## like test, with every test on both databases
	@PYTHONPATH=. $(PY) scripts/test.py --whole

bare: setup ## demo, run and test as on a machine without PostgreSQL, Redis, Chromium, age and a network
	@$(PY) scripts/bare.py

check: setup packages ## format, lint, import contracts, types, Django's checks, migrations, messages
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@PYTHONPATH=. .venv/bin/lint-imports --no-logo
	@SAYSO_DEMO=1 $(PY) -m mypy
	@SAYSO_DEMO=1 $(PY) manage.py check --fail-level WARNING
	@SAYSO_DEMO=1 $(PY) manage.py makemigrations --check --dry-run
	@$(PY) scripts/messages.py check

bench: setup ## the benchmarks of bench/, with their floors and equality checks (BENCH="release --rows 10000000 --strict")
	@SAYSO_DEMO=1 $(PY) -m bench $(BENCH)

faults: setup packages ## every process killed, servers stopped and filled, 20 times each; on both databases a thousand noes against eight readers, a hundred thousand permits
	@PYTHONPATH=. $(PY) scripts/faults.py

portal-report: setup packages ## the survivors' pages against their goals: goal, ours, met or missed; fails on a miss
	@PYTHONPATH=. $(PY) scripts/portal_report.py

lock: setup ## choose and lock the dependencies anew, with hashes and without any address
	@cd requirements && ../.venv/bin/$(LOCKING) base.in -o base.txt
	@cd requirements && ../.venv/bin/$(LOCKING) dev.in -o dev.txt

messages: setup packages ## gather the texts to translate and compile the catalogues
	@$(PY) scripts/messages.py update

format: setup ## let the formatter and the linter repair what they can
	@$(PY) -m ruff check --fix --exit-zero --quiet .
	@$(PY) -m ruff format .

setup: $(STAMP)

# The lock's own hash names the stamp: another lock, another installation.
$(STAMP): $(LOCK)
	@for python in python3.13 python3.12 python3.11 python3; do \
		command -v $$python >/dev/null || continue; \
		$$python -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null || continue; \
		found=$$python; break; \
	done; \
	if [ -z "$${found:-}" ]; then echo "Sayso needs Python 3.11 or newer."; exit 1; fi; \
	[ -x $(PY) ] || $$found -m venv .venv || { \
		echo "Python cannot make a virtual environment here (Debian: apt-get install python3-venv)."; exit 1; }
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@rm -f .venv/installed-* && touch $@

# Chromium for the browser tests, gettext for the catalogues, age, with which a recipient opens what it
# picked up, libfaketime, which moves a test server's clock, PostgreSQL and Redis, of which the tests run
# servers of their own, and Go with its checksum-database packages, which check the log with code that is
# not ours: installed where we may.
packages:
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium fonts-dejavu-core"; \
	command -v xgettext >/dev/null || missing="$$missing gettext"; \
	command -v age >/dev/null || missing="$$missing age"; \
	ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || missing="$$missing libfaketime"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	[ -d /usr/share/gocode/src/golang.org/x/mod/sumdb ] && command -v go >/dev/null || missing="$$missing golang-go golang-golang-x-mod-dev"; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing$$missing"; \
		apt-get update -qq </dev/null && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing </dev/null >/dev/null \
		|| echo "Not installed:$$missing. What needs them is left out and named."; \
	else \
		echo "Not here:$$missing. What needs them is left out and named (Debian: apt-get install$$missing)."; \
	fi
