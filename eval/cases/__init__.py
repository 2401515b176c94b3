"""Cases with a structured answer, such as a diagnosis with a treatment plan: read, judged, rated by simulated experts.

gold.py      what a right answer to a case is; a problem's `answer` holds it as JSON
answer.py    an answer read back: steps, diagnosis, treatments
criteria.py  an answer measured against its case: diagnosis, reasoning, treatment, safety
experts.py   simulated experts who score answers from 1 to 10
measures.py  a model's scores on a benchmark of cases

Nothing here is medical knowledge: the cases of the built-in world are invented, and none of this is medical advice.
"""
