"""Installing ictagent's services: facts of the host in, an ordered list of actions out, each told before it is done."""
