# make run [ARGS="scenario=us_only seed=3"]   install on first use, then simulate
# make test [ARGS="-k waterfall"]             install on first use, then test
# make test-pages                             every page in headless Chromium, clicked through; screenshots in outputs/pages
# make test-cluster                           sweeps of hundreds of runs, killed, and under Ray and a one-node SLURM
READY := .venv/.ready

.PHONY: run test test-pages test-cluster install clean
.DEFAULT_GOAL := run

run: $(READY)
	@.venv/bin/python -m sim $(ARGS)

test: $(READY)
	@.venv/bin/python -m pytest -n auto --dist loadfile $(ARGS)

test-cluster: $(READY)
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,slurm,ray]'
	@.venv/bin/python -m pytest tests/cluster_*.py $(ARGS)

# Chromium is the system's; another is named by CHROMIUM=/path/to/it.
test-pages: $(READY)
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,pages]'
	@command -v "$${CHROMIUM:-chromium}" >/dev/null || { echo "Pages are tested in Chromium: apt-get install chromium, or set CHROMIUM." >&2; exit 2; }
	@.venv/bin/python -m pytest tests/pages_*.py $(ARGS)

install: $(READY)

# A .venv that another Python made, or that was moved here, is made anew.
$(READY): pyproject.toml constraints.txt .ci/find-python
	@python=$$(PYTHON="$(PYTHON)" .ci/find-python) && \
	{ .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null && \
	  .venv/bin/python -m pip --version >/dev/null 2>&1 || "$$python" -m venv --clear .venv; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $(READY)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find sim agents analysis configs tests -name __pycache__ -type d -prune -exec rm -rf {} +
