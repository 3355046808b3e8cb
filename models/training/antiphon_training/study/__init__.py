"""Study of the design: small models that differ from the shipped one in one part each, trained on the same rows in the same order and scored on the same
notes."""
