"""People's ratings, looked at in the first minute of a run: a mistake on any line ends it before any job."""

from eval.cases.criteria import HIGHEST, LOWEST
from pipeline.config.load import Config
from pipeline.errors import UserError
from pipeline.workflow import listed
from rl.ratings.records import read_ratings


def check_ratings(config: Config) -> None:
    """Raise a UserError where a reward model is to learn from ratings, and they are missing or wrong."""
    if config.reward.labels != "ratings":
        return

    files = listed(config.sources.ratings)
    if not files:
        raise UserError(
            "reward.labels = ratings: sources.ratings names no file of scored answers; allowed: a path, or a list"
        )
    read_ratings(files, LOWEST, HIGHEST, config.reward.known_raters)
