"""The simulated schedule of a crawl on worked graphs."""

from benchmarks.crawl import CPUS_OF_A_NODE, Job, jobs_of_graph, simulate

HALF_A_NODE = CPUS_OF_A_NODE // 2

# As Snakemake prints it: two shards, one of them before nothing else.
GRAPH = """digraph snakemake_dag {
	0[label = "finalise_corpus", color = "0.23 0.6 0.85", style="rounded"];
	1[label = "hash_shards\\nbatch: 00000", color = "0.1 0.6 0.85", style="rounded"];
	2[label = "hash_shards\\nbatch: 00001", color = "0.1 0.6 0.85", style="rounded"];
	1 -> 0
	2 -> 0
}"""


def test_two_jobs_fill_a_node_and_the_third_waits() -> None:
    jobs = [Job("a", HALF_A_NODE, 10, ()) for _ in range(3)]
    assert simulate(jobs, 1) == 20
    assert simulate(jobs, 2) == 10


def test_what_others_wait_for_starts_first() -> None:
    # The job of 5 s is the first of the list, but the one of 10 s has one of 4 s behind it.
    short, first = Job("short", CPUS_OF_A_NODE, 5, ()), Job("first", HALF_A_NODE, 10, ())
    assert simulate([short, first, Job("second", HALF_A_NODE, 4, (1,))], 1) == 10 + 4 + 5
    assert simulate([short, first, Job("second", HALF_A_NODE, 4, (1,))], 2) == 14


def test_no_job_starts_before_those_that_it_needs() -> None:
    chain = [Job("a", 1, 3, ()), Job("b", 1, 4, (0,)), Job("c", 1, 5, (1,))]
    assert simulate(chain, 100) == 12


def test_the_graph_is_read_with_its_edges_and_the_cpus_of_the_profile() -> None:
    final, first, second = jobs_of_graph(GRAPH)
    assert final.rule == "finalise_corpus" and final.needs == (1, 2)
    assert first == second and first.needs == () and first.cpus == 16
    # Half of a crawl each.
    assert 22_000 < first.seconds < 25_000
