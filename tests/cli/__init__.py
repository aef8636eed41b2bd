"""The command line of an application, in place."""
