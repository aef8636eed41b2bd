"""What a supervisor and its workers have agreed on."""

VARIABLE = "PLUGINS_WORKER_CHANNEL"
"""The environment variable that tells a worker which descriptor its channel is; for nobody else."""

NUMBER = "PLUGINS_WORKER"
"""The environment variable that tells a worker its number, from 1 on; the one that replaces it has the same."""

LEAVING = 10.0
"""Seconds that a worker has beyond the grace of calls in flight, for the shutdown() of plugins."""

GONE = "the supervisor of this worker is gone"
