"""Start from another run: its finished stages are taken as they are, and only what follows them runs.

    # group_size.yaml
    extends: mini
    from: results/mini
    rl: {group_size: 8}

    snakemake --cores all rl_model --config preset=group_size.yaml

stages.py   the stages in their order, what each leaves in a run's folder, and which settings decide it
earlier.py  which stages of the other run are taken, and why they may be
unseen.py   finished stages that stay though their settings changed, where a profile looks at times alone
take.py     the program that brings them into the new run's folder, and records what they were
"""
