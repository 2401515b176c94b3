# Stage 4: reward models (only where the settings use them) and the policy.

# The questions of one's own solutions, wherever those come from, are written by the rule sft_examples.
RL_PROBLEMS = dag.source(
    CONFIG.sources.problems or ("mini" if CONFIG.sources.solutions == "mini" else f"{RESULTS}/sft/problems.jsonl"),
    f"{RESULTS}/world/problems/train.jsonl",
)
RL_HELDOUT = f"{RESULTS}/world/problems/validation.jsonl" if CONFIG.sources.solutions == "mini" else []
# Scored answers, for a reward model that learns from people.
RATINGS = dag.listed(CONFIG.sources.ratings) if CONFIG.reward.labels == "ratings" else []
REWARD_MODELS = {
    name: f"{RESULTS}/models/{folder}"
    for name, folder in (("outcome_model", "reward"), ("process_model", "process_reward"))
    if CONFIG.rl.rewards.get(name)
}


wildcard_constraints:
    reward_model="reward|process_reward",


# The outcome reward model in models/reward, the process reward model in models/process_reward.
rule train_reward_model:
    input:
        config=settings("reward"),
        prompts=settings("prompts"),
        base="results/{preset}/models/base",
        sft="results/{preset}/models/sft",
        problems=RL_PROBLEMS,
        ratings=RATINGS,
    output:
        model=directory("results/{preset}/models/{reward_model}"),
    params:
        code=dag.code_digest("rl.reward_model"),
        kind=lambda w: "process" if w.reward_model == "process_reward" else "outcome",
        resume="results/{preset}/resume/{reward_model}",
        ratings=["--ratings", *RATINGS] if RATINGS else [],
    threads: SHARE
    priority: 1
    resources:
        # A profile may start several processes instead, as for fine-tuning.
        launch=LAUNCH,
    log:
        "results/{preset}/logs/train_reward_model.{reward_model}.log",
    benchmark:
        "results/{preset}/benchmarks/train_reward_model.{reward_model}.tsv"
    message:
        "{wildcards.reward_model}: the {params.kind} reward model"
    shell:
        "{resources.launch} -m rl.reward_model --kind {params.kind:q} --config {input.config:q} --prompts {input.prompts:q}"
        " --base {input.base:q} --sft {input.sft:q} --problems {input.problems:q} {params.ratings:q}"
        " --resume {params.resume:q} --out {output.model:q} 2>&1 | tee -i {log:q}"


rule train_rl:
    input:
        config=settings("rl"),
        prompts=settings("prompts"),
        sft="results/{preset}/models/sft",
        problems=RL_PROBLEMS,
        heldout=RL_HELDOUT,
        reward_models=list(REWARD_MODELS.values()),
        evaluation=ASKED,
    output:
        model=directory("results/{preset}/models/rl"),
        rollouts="results/{preset}/rl/rollouts.jsonl",
    params:
        code=dag.code_digest("rl.train", *CONFIG.rl.own_modules),
        resume="results/{preset}/resume/rl",
        heldout=["--heldout", RL_HELDOUT] if RL_HELDOUT else [],
        models=[word for name, path in REWARD_MODELS.items() for word in (f"--{name.replace('_', '-')}", path)],
    threads: SHARE
    priority: 1
    resources:
        # A profile may start several processes instead, as for fine-tuning.
        launch=LAUNCH,
    log:
        "results/{preset}/logs/train_rl.log",
    benchmark:
        "results/{preset}/benchmarks/train_rl.tsv"
    message:
        "rl: " + CONFIG.rl.method
    shell:
        "{resources.launch} -m rl.train --config {input.config:q} --prompts {input.prompts:q} --sft {input.sft:q}"
        " --problems {input.problems:q} {params.heldout:q} {params.models:q} --evaluation {input.evaluation:q}"
        " --resume {params.resume:q} --rollouts {output.rollouts:q} --out {output.model:q} 2>&1 | tee -i {log:q}"


rule reward_model:
    input:
        f"{RESULTS}/models/reward",


rule process_reward_model:
    input:
        f"{RESULTS}/models/process_reward",
