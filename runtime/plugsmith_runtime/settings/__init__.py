"""How a setting is declared, looked up and checked."""
