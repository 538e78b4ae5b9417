"""GA/T 1400, the view library (视图库, VIID): identifiers, messages, replies, the session. Knows no
database."""
