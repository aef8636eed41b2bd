"""Settings of an application: one table says what there is, a resolver finds each value, frozen classes hold them.

A value comes from the command line, else from the environment, else from the YAML file, else it is the default.
"""
