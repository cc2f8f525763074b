"""Evidence packs: a published report with everything that its figures are made of, to be verified without a database."""
