"""What the parts of the design are worth: small models that differ in one of them, trained on equal rows in the same order and scored on the same notes."""
