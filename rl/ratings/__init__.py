"""Reward models that learn from experts' scores instead of the rule's verdicts.

records.py    ratings as JSON Lines, read and checked
effects.py    how strict and how noisy each rater is, and what an answer deserves without that
agreement.py  how far raters agree, and how far a reward model agrees with them
scale.py      from a reward model's logit to points of the experts' scale, and the losses of that
first_rows.py ratings looked at in the first minute of a run
labels.py     rated answers as labels of a reward model
"""
