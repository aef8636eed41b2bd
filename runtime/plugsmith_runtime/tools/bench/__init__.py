"""How fast a plugin answers on this machine: `bench` measures and draws with it."""
