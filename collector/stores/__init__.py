"""Where points go: the embedded store and InfluxDB, behind one port."""
