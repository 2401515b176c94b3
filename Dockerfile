# syntax=docker/dockerfile:1
# The pipeline in a container, for CPUs or for CUDA; one argument decides:
#
#   docker build --build-arg TORCH_INDEX=<the torch CPU index> --tag deepseekmath:cpu .
#   docker build --tag deepseekmath:cuda .
#
# The package index's own torch brings its CUDA libraries (the host needs a driver and the NVIDIA container toolkit); the
# CPU build of the same version is gigabytes smaller.
#
#   docker run --rm --user "$(id -u)" --volume "$PWD:/runs" deepseekmath:cpu rl_model
#   docker run --rm --user "$(id -u)" --volume "$PWD:/runs" --gpus all --shm-size 16g deepseekmath:cuda \
#       rl_model --config preset=my.yaml
#
# Results, overlays and data are in the folder that you mount at /runs.
ARG PYTHON=3.11
FROM python:${PYTHON}-slim-bookworm

ARG TORCH_INDEX=

# The packages before the sources, so that a changed source does not install them again.
COPY requirements.txt /opt/deepseekmath/
RUN pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} \
      --requirement /opt/deepseekmath/requirements.txt

COPY . /opt/deepseekmath/
RUN python -m compileall -q /opt/deepseekmath

# Whoever runs the container need not exist in it, so caches and the user's name have a place of their own.
ENV PYTHONPATH=/opt/deepseekmath HOME=/tmp LOGNAME=deepseekmath

# Programs that a model wrote never run as root.
USER 1000
WORKDIR /runs
ENTRYPOINT ["snakemake", "--snakefile", "/opt/deepseekmath/Snakefile", "--cores", "all", \
            "--workflow-profile", "/opt/deepseekmath/profiles/default"]
CMD ["rl_model"]
