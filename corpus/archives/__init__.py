"""Read crawl archives: which files there are, the records in them, and the page inside a record.

sources.py       the files that the settings name, and how they are grouped into shards
download.py      one large file over HTTP, resumed and checked
record.py        what a record is, for both kinds of archive
warc.py          records of a WARC file, whole or damaged; the entry point for ARC files too
arc.py           records of an ARC file, the format before WARC
dates.py         dates of records in any legal form
http_payload.py  from the bytes of an HTTP response to its decoded body
charset.py       from the bytes of a page to its characters
"""
