"""Child processes: started, ready, restarted, stopped; in place, with real ones."""
