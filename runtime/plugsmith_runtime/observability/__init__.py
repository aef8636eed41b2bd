"""Through which a server is seen from outside: call log, traces, status pages, the admin listener."""
