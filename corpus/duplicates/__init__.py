"""Near duplicates by MinHash and locality-sensitive hashing, a shard at a time and then over all shards.

minhash.py    texts to signatures, band keys and sketches
lsh_bands.py  the side file of a shard that holds band keys and sketches
documents.py  the pages of a crawl and of earlier ones, numbered through
clusters.py   pages with equal band keys to checked pairs, and these to clusters
"""
