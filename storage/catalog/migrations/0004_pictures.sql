-- Streams for live pictures, bookmarks, cases, layouts and views, stored motion, export jobs. Frozen: a change is a new file.

ALTER TABLE camera ADD COLUMN live_url TEXT NOT NULL DEFAULT '';

CREATE TABLE bookmark (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id  INTEGER NOT NULL REFERENCES camera (id),
  start_us   INTEGER NOT NULL CHECK (start_us > 0),
  end_us     INTEGER NOT NULL CHECK (end_us > start_us),
  name       TEXT NOT NULL DEFAULT '' CHECK (length(name) <= 200),
  note       TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 4000),
  created_us INTEGER NOT NULL CHECK (created_us > 0),
  created_by TEXT NOT NULL DEFAULT '',
  lock_id    INTEGER REFERENCES footage_lock (id) ON DELETE SET NULL
) STRICT;

CREATE INDEX bookmark_by_camera ON bookmark (camera_id, start_us, end_us);
CREATE INDEX bookmark_by_start ON bookmark (start_us, id);
CREATE INDEX bookmark_by_lock ON bookmark (lock_id) WHERE lock_id IS NOT NULL;

INSERT INTO bookmark (camera_id, start_us, end_us, name, created_us, created_by, lock_id)
SELECT camera_id, start_us, end_us, substr(reason, 1, 200), created_us, created_by, id
  FROM footage_lock WHERE created_by = 'alarm rule' ORDER BY id;

CREATE TABLE evidence_case (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
  comment    TEXT NOT NULL DEFAULT '' CHECK (length(comment) <= 4000),
  created_us INTEGER NOT NULL CHECK (created_us > 0),
  created_by TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE case_item (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id   INTEGER NOT NULL REFERENCES evidence_case (id) ON DELETE CASCADE,
  place     INTEGER NOT NULL CHECK (place >= 0),
  camera_id INTEGER NOT NULL REFERENCES camera (id),
  start_us  INTEGER NOT NULL CHECK (start_us > 0),
  end_us    INTEGER NOT NULL CHECK (end_us > start_us),
  comment   TEXT NOT NULL DEFAULT '' CHECK (length(comment) <= 4000),
  added_us  INTEGER NOT NULL CHECK (added_us > 0),
  added_by  TEXT NOT NULL DEFAULT '',
  lock_id   INTEGER REFERENCES footage_lock (id) ON DELETE SET NULL
) STRICT;

CREATE INDEX case_item_by_case ON case_item (case_id, place);
CREATE INDEX case_item_by_camera ON case_item (camera_id);
CREATE INDEX case_item_by_lock ON case_item (lock_id) WHERE lock_id IS NOT NULL;

CREATE TABLE arrangement (
  kind       TEXT NOT NULL CHECK (kind IN ('layout', 'view', 'tour')),
  name       TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
  body       TEXT NOT NULL CHECK (json_valid(body)),
  changed_us INTEGER NOT NULL CHECK (changed_us > 0),
  changed_by TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE motion_block (
  camera_id INTEGER NOT NULL REFERENCES camera (id) ON DELETE CASCADE,
  start_us  INTEGER NOT NULL CHECK (start_us > 0),
  end_us    INTEGER NOT NULL CHECK (end_us >= start_us),
  moved     INTEGER NOT NULL CHECK (moved >= 0),
  looks     BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX motion_block_by_camera ON motion_block (camera_id, start_us);

CREATE TABLE export_job (
  uuid       BLOB PRIMARY KEY CHECK (length(uuid) = 16),
  state      TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
  body       TEXT NOT NULL CHECK (json_valid(body)),
  created_us INTEGER NOT NULL CHECK (created_us > 0),
  created_by TEXT NOT NULL DEFAULT '',
  ended_us   INTEGER CHECK (ended_us >= created_us)
) STRICT, WITHOUT ROWID;

CREATE INDEX export_job_by_age ON export_job (created_us);
