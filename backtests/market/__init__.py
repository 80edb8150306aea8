"""What is known when: the inputs of a run lined up on one time axis."""
