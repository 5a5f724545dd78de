-- The first released schema. Frozen: a change is a new file; schema.sql explains every column of today's.

PRAGMA application_id = 0x57445543;

CREATE TABLE station (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  uuid       BLOB NOT NULL CHECK (length(uuid) = 16),
  name       TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  created_us INTEGER NOT NULL CHECK (created_us > 0)
) STRICT;

CREATE TABLE recording_group (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  name            TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
  retention_days  INTEGER CHECK (retention_days BETWEEN 1 AND 36500),
  retention_bytes INTEGER CHECK (retention_bytes > 0)
) STRICT;

CREATE TABLE camera (
  id                 INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid               BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
  name               TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
  url                TEXT NOT NULL CHECK (length(url) > 0),
  user               TEXT NOT NULL DEFAULT '',
  transport          TEXT NOT NULL CHECK (transport IN ('auto', 'tcp', 'udp')),
  group_id           INTEGER REFERENCES recording_group (id),
  mode               TEXT NOT NULL CHECK (mode IN ('continuous', 'schedule', 'off')),
  schedule           TEXT CHECK (schedule IS NULL OR json_valid(schedule)),
  record_audio       INTEGER NOT NULL DEFAULT 1 CHECK (record_audio IN (0, 1)),
  is_enabled         INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
  verify_tls         INTEGER NOT NULL DEFAULT 0 CHECK (verify_tls IN (0, 1)),
  is_removed         INTEGER NOT NULL DEFAULT 0 CHECK (is_removed IN (0, 1)),
  longest_segment_us INTEGER NOT NULL DEFAULT 0 CHECK (longest_segment_us >= 0),

  longest_gap_us     INTEGER NOT NULL DEFAULT 0 CHECK (longest_gap_us >= 0),
  CHECK (is_removed = 1 OR group_id IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX camera_by_name ON camera (name) WHERE is_removed = 0;

CREATE TABLE camera_password (
  camera_id INTEGER PRIMARY KEY REFERENCES camera (id) ON DELETE CASCADE,
  password  TEXT NOT NULL CHECK (length(password) > 0)
) STRICT;

CREATE TABLE volume (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid         BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
  name         TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
  path         TEXT NOT NULL CHECK (path GLOB '/*'),
  group_id     INTEGER REFERENCES recording_group (id),
  floor_bytes  INTEGER NOT NULL CHECK (floor_bytes >= 0),
  is_removed   INTEGER NOT NULL DEFAULT 0 CHECK (is_removed IN (0, 1)),
  used_bytes   INTEGER NOT NULL DEFAULT 0 CHECK (used_bytes >= 0),

  locked_bytes INTEGER NOT NULL DEFAULT 0 CHECK (locked_bytes BETWEEN 0 AND used_bytes),
  CHECK (is_removed = 1 OR group_id IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX volume_by_name ON volume (name) WHERE is_removed = 0;
CREATE UNIQUE INDEX volume_by_path ON volume (path) WHERE is_removed = 0;

CREATE TABLE run (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid       BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
  camera_id  INTEGER NOT NULL REFERENCES camera (id),
  start_us   INTEGER NOT NULL CHECK (start_us > 0),
  end_us     INTEGER CHECK (end_us >= start_us),
  end_reason TEXT CHECK ((end_reason IS NULL) = (end_us IS NULL)),
  tracks     TEXT NOT NULL CHECK (json_valid(tracks))
) STRICT;

CREATE INDEX run_by_camera ON run (camera_id, start_us);
CREATE INDEX run_unended ON run (id) WHERE end_us IS NULL;

CREATE TABLE segment (
  id                   INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id            INTEGER NOT NULL,
  run_id               INTEGER NOT NULL REFERENCES run (id),
  volume_id            INTEGER NOT NULL REFERENCES volume (id),
  sequence             INTEGER NOT NULL CHECK (sequence >= 0),
  path                 TEXT NOT NULL CHECK (length(path) > 0 AND path NOT GLOB '/*'),
  start_us             INTEGER NOT NULL CHECK (start_us > 0),
  end_us               INTEGER NOT NULL CHECK (end_us >= start_us),
  media_duration_ticks INTEGER NOT NULL CHECK (media_duration_ticks >= 0),
  bytes                INTEGER NOT NULL CHECK (bytes >= 0),
  state                INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
  is_recovered         INTEGER NOT NULL DEFAULT 0 CHECK (is_recovered IN (0, 1)),
  lock_count           INTEGER NOT NULL DEFAULT 0 CHECK (lock_count >= 0)

) STRICT;

CREATE UNIQUE INDEX segment_by_run ON segment (run_id, sequence);

CREATE INDEX segment_by_camera ON segment (camera_id, start_us, end_us, volume_id, state) WHERE state < 2;

CREATE INDEX segment_by_age ON segment (volume_id, (lock_count > 0), start_us) WHERE state = 1;

CREATE INDEX segment_unsettled ON segment (state, id) WHERE state <> 1;

CREATE TABLE segment_keyframes (
  segment_id INTEGER PRIMARY KEY REFERENCES segment (id) ON DELETE CASCADE,
  places     BLOB NOT NULL
) STRICT;

CREATE TABLE gap (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id INTEGER NOT NULL REFERENCES camera (id),
  start_us  INTEGER NOT NULL CHECK (start_us > 0),
  end_us    INTEGER CHECK (end_us > start_us),
  cause     TEXT NOT NULL CHECK (length(cause) > 0),
  detail    TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX gap_by_camera ON gap (camera_id, start_us, end_us);

CREATE UNIQUE INDEX gap_going_on ON gap (camera_id) WHERE end_us IS NULL;

CREATE TABLE footage_lock (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id  INTEGER NOT NULL REFERENCES camera (id),
  start_us   INTEGER NOT NULL CHECK (start_us > 0),
  end_us     INTEGER NOT NULL CHECK (end_us > start_us),
  reason     TEXT NOT NULL DEFAULT '',
  created_us INTEGER NOT NULL CHECK (created_us > 0),
  created_by TEXT NOT NULL DEFAULT '',
  expires_us INTEGER CHECK (expires_us > 0)
) STRICT;

CREATE INDEX footage_lock_by_camera ON footage_lock (camera_id, end_us, start_us);
CREATE INDEX footage_lock_by_expiry ON footage_lock (expires_us) WHERE expires_us IS NOT NULL;

CREATE TABLE event (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  time_us  INTEGER NOT NULL CHECK (time_us > 0),
  kind     TEXT NOT NULL CHECK (length(kind) > 0),
  severity INTEGER NOT NULL CHECK (severity IN (0, 1, 2)),
  source   TEXT NOT NULL DEFAULT '',
  text     TEXT NOT NULL,
  actor    TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX event_by_time ON event (time_us);
CREATE INDEX event_by_kind ON event (kind, id);
CREATE INDEX event_by_source ON event (source, id);
CREATE INDEX event_by_severity ON event (severity, id) WHERE severity > 0;

CREATE TRIGGER segment_added AFTER INSERT ON segment WHEN new.state < 2 BEGIN
  UPDATE volume
     SET used_bytes = used_bytes + new.bytes,
         locked_bytes = locked_bytes + new.bytes * (new.lock_count > 0)
   WHERE id = new.volume_id;
END;

CREATE TRIGGER segment_weighed AFTER UPDATE OF bytes, state, lock_count, volume_id ON segment
WHEN old.bytes <> new.bytes OR old.state <> new.state OR old.volume_id <> new.volume_id
  OR (old.lock_count > 0) <> (new.lock_count > 0)
BEGIN
  UPDATE volume
     SET used_bytes = used_bytes - old.bytes * (old.state < 2),
         locked_bytes = locked_bytes - old.bytes * (old.state < 2 AND old.lock_count > 0)
   WHERE id = old.volume_id;
  UPDATE volume
     SET used_bytes = used_bytes + new.bytes * (new.state < 2),
         locked_bytes = locked_bytes + new.bytes * (new.state < 2 AND new.lock_count > 0)
   WHERE id = new.volume_id;
END;

CREATE TRIGGER segment_gone AFTER DELETE ON segment WHEN old.state < 2 BEGIN
  UPDATE volume
     SET used_bytes = used_bytes - old.bytes,
         locked_bytes = locked_bytes - old.bytes * (old.lock_count > 0)
   WHERE id = old.volume_id;
END;

CREATE TRIGGER segment_length_at_start AFTER INSERT ON segment BEGIN
  UPDATE camera SET longest_segment_us = new.end_us - new.start_us
   WHERE id = new.camera_id AND longest_segment_us < new.end_us - new.start_us;
END;

CREATE TRIGGER segment_length_grown AFTER UPDATE OF start_us, end_us ON segment BEGIN
  UPDATE camera SET longest_segment_us = new.end_us - new.start_us
   WHERE id = new.camera_id AND longest_segment_us < new.end_us - new.start_us;
END;

CREATE TRIGGER gap_added AFTER INSERT ON gap WHEN new.end_us IS NOT NULL BEGIN
  UPDATE camera SET longest_gap_us = new.end_us - new.start_us
   WHERE id = new.camera_id AND longest_gap_us < new.end_us - new.start_us;
END;

CREATE TRIGGER gap_ended AFTER UPDATE OF end_us ON gap WHEN new.end_us IS NOT NULL BEGIN
  UPDATE camera SET longest_gap_us = new.end_us - new.start_us
   WHERE id = new.camera_id AND longest_gap_us < new.end_us - new.start_us;
END;

INSERT INTO recording_group (id, name) VALUES (1, 'main');
