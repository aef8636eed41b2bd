"""Bad input: what is sent, how it is sent, and what is expected."""
