"""Tables as people keep and send them: CSV and workbooks, as cells with their addresses."""
