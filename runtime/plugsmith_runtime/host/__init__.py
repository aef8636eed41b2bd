"""The host of plugins: loading, calls, results, time limits. It knows no wire."""
