"""Antiphon's model: data, training and export. `docs/model-interface.md` is the contract with the engine."""
