"""Mathematical domains: those of which a round collected more than a tenth.

The paper calls all pages of one base URL a domain; here that is a host name without `www.`, because one owner's hosts
(forum.example.org, docs.example.org) differ in subject.
"""

import duckdb

from pipeline.config.corpus import Selection


def find_domains(database: duckdb.DuckDBPyConnection, settings: Selection) -> None:
    """Make the table `domains` from `kept`, `collected`, `explored` and `positives`, one row a domain, by name.

    Columns: domain, pages, tokens, collected, collected_tokens, found (collected or explored), share (found / pages),
    positives (training examples), flagged (share over the limit and pages enough).
    """
    database.execute(
        "CREATE TABLE domains AS SELECT *, found / pages AS share,"
        f" found > {settings.domain_share!r} * pages AND pages >= {settings.domain_pages} AS flagged FROM ("
        " SELECT domain, count(*) AS pages, sum(n_tokens)::BIGINT AS tokens, count(c.doc_id) AS collected,"
        " coalesce(sum(n_tokens) FILTER (c.doc_id IS NOT NULL), 0)::BIGINT AS collected_tokens,"
        " count(coalesce(c.doc_id, e.doc_id)) AS found, count(p.doc_id) AS positives"
        " FROM kept LEFT JOIN (SELECT doc_id FROM collected) c USING (doc_id)"
        " LEFT JOIN explored e USING (doc_id) LEFT JOIN positives p USING (doc_id) GROUP BY domain) ORDER BY domain"
    )
