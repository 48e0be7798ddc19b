"""One provider, one file: each translates a bank's protocol and does nothing else."""
