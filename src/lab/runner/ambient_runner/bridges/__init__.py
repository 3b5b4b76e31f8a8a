"""One module per agent, as in the real runner."""
