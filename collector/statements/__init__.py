"""Providers' statements of cloud, SaaS and colocation: one layout a file; the list of them is in `layouts`."""
