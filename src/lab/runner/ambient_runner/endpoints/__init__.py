"""The endpoints of the runner-image contract, rule 1."""
