"""Files that stages pass on: written whole or not at all, with digests that say what they were made
from.

write.py        atomic files and folders, digests of contents, the manifest that marks a stage as complete
check.py        artifacts against what their manifests say: what differs is named
records.py      problems and solutions, and JSON Lines whose errors name file and line
datasets.py     rows of any data source: JSON Lines, Parquet, folders, the Hub
code_digest.py  the digest of a program with all that it imports and reads, by which rules rerun
resume.py       whose state a folder of unfinished work holds, and whether it may be taken up again
tensorboard.py  metrics.jsonl as TensorBoard's event file
"""
