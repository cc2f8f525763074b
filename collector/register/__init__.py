"""A council's register of ICT, read as it is kept: files, headers, cells. Nothing here touches the database."""
