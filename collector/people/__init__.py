"""People and programs that read a collector: accounts, roles, sessions, tokens, login at an OpenID provider."""
