"""Half-hourly files of electricity suppliers: a row a day or a row a half-hour, read to energy by UTC half-hour."""
