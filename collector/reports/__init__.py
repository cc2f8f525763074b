"""Reports as files: CSV, workbook, JSON, page and PDF, each of one `carbon.report.Report`."""
