-- Drives with their history, what the chassis was told to do, and its jobs. Frozen: a change is a new file.

CREATE TABLE drive (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  identity      TEXT NOT NULL UNIQUE CHECK (length(identity) > 0),
  model         TEXT NOT NULL DEFAULT '',
  serial        TEXT NOT NULL DEFAULT '',
  wwn           TEXT NOT NULL DEFAULT '',
  size_bytes    INTEGER NOT NULL DEFAULT 0 CHECK (size_bytes >= 0),
  bay           INTEGER CHECK (bay >= 0),
  place         TEXT NOT NULL DEFAULT '',
  membership    TEXT NOT NULL DEFAULT '',
  first_seen_us INTEGER NOT NULL CHECK (first_seen_us > 0),
  last_seen_us  INTEGER NOT NULL CHECK (last_seen_us >= first_seen_us),
  report        TEXT CHECK (report IS NULL OR json_valid(report)),
  health        TEXT CHECK (health IS NULL OR json_valid(health))
) STRICT;

CREATE INDEX drive_by_serial ON drive (serial);

CREATE TABLE drive_sample (
  drive_id         INTEGER NOT NULL REFERENCES drive (id) ON DELETE CASCADE,
  time_us          INTEGER NOT NULL CHECK (time_us > 0),
  temperature_c    INTEGER,
  hours            INTEGER,
  reallocated      INTEGER,
  pending          INTEGER,
  uncorrectable    INTEGER,
  interface_errors INTEGER,
  media_errors     INTEGER,
  wear_percent     INTEGER,
  verdict          TEXT NOT NULL CHECK (verdict IN ('good', 'warning', 'failing', 'unknown')),
  PRIMARY KEY (drive_id, time_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE chassis_setting (
  key   TEXT PRIMARY KEY CHECK (length(key) > 0),
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;

CREATE TABLE chassis_job (
  uuid       BLOB PRIMARY KEY CHECK (length(uuid) = 16),
  kind       TEXT NOT NULL CHECK (kind IN ('set_up', 'replace', 'take_down')),
  state      TEXT NOT NULL CHECK (state IN ('running', 'waiting', 'done', 'failed', 'cancelled')),
  body       TEXT NOT NULL CHECK (json_valid(body)),
  actor      TEXT NOT NULL DEFAULT '',
  started_us INTEGER NOT NULL CHECK (started_us > 0),
  ended_us   INTEGER CHECK (ended_us >= started_us)
) STRICT, WITHOUT ROWID;

CREATE INDEX chassis_job_open ON chassis_job (started_us) WHERE ended_us IS NULL;
