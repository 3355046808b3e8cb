"""What `evaluate.py` makes of the engine's measurements: tables and pictures for models/EVALUATION.md."""
