"""The collector's face: the HTTP API, the pages, and who may see them."""
