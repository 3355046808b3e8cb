"""Tables and pictures of models/EVALUATION.md, made by `evaluate.py` from the engine's measurements."""
