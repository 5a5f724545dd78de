-- The catalog of a station: what the operator edited, and what is on which volume.
--
-- This file is the document of today's schema. It is not executed: a catalog is made by the steps in
-- migrations/, and a test proves that they end exactly here. Read it before you read any code of this folder.
--
-- Conventions
--   *_us            microseconds since the Unix epoch, UTC; intervals are half-open [start_us, end_us)
--   *_ticks         media time in the video track's own time base
--   *_bytes, *_days what they say
--   uuid            16 raw bytes
--   is_*            0 or 1
--   times are at least 1 (1970): a 0 that slips in is a bug and is refused
--
-- Size, at 128 cameras x 30 days of 120 s segments: 2.8 million rows in `segment`, everything else is small.
-- Whatever touches `segment` goes through one of its four indexes; tests read the query plans.
--
-- PRAGMA application_id = 0x57445543 ("WDUC"): the file is a Watchdeck catalog.
-- PRAGMA user_version   = number of the newest migration applied; a newer one than ours is refused.


-- Who this station is. Exactly one row, written when the catalog is made.
CREATE TABLE station (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  uuid       BLOB NOT NULL CHECK (length(uuid) = 16),  -- written into every segment; never changes
  name       TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  created_us INTEGER NOT NULL CHECK (created_us > 0)
) STRICT;


-- A recording group: cameras that share volumes and retention. Group 1, `main`, always exists.
CREATE TABLE recording_group (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  name            TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
  retention_days  INTEGER CHECK (retention_days BETWEEN 1 AND 36500),  -- NULL: as long as there is room
  retention_bytes INTEGER CHECK (retention_bytes > 0)                  -- NULL: no limit but the floor
) STRICT;


-- A camera as the operator described it. A removed camera keeps its row while recordings of it are left.
CREATE TABLE camera (
  id                 INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of addition; never changed, never reused
  uuid               BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),  -- identity inside segments
  name               TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
  url                TEXT NOT NULL CHECK (length(url) > 0),           -- without user and password
  user               TEXT NOT NULL DEFAULT '',
  transport          TEXT NOT NULL CHECK (transport IN ('auto', 'tcp', 'udp')),
  group_id           INTEGER REFERENCES recording_group (id),         -- NULL only once removed
  mode               TEXT NOT NULL CHECK (mode IN ('continuous', 'schedule', 'events', 'off')),
  schedule           TEXT CHECK (schedule IS NULL OR json_valid(schedule)),  -- records.Schedule as JSON
  record_audio       INTEGER NOT NULL DEFAULT 1 CHECK (record_audio IN (0, 1)),
  is_enabled         INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
  verify_tls         INTEGER NOT NULL DEFAULT 0 CHECK (verify_tls IN (0, 1)),
  is_removed         INTEGER NOT NULL DEFAULT 0 CHECK (is_removed IN (0, 1)),
  longest_segment_us INTEGER NOT NULL DEFAULT 0 CHECK (longest_segment_us >= 0),
  -- ^ longest segment this camera ever had, only ever grows (by trigger): how far before a time a search must
  --   begin to meet every segment that reaches into it, without knowing the recorder's settings.
  longest_gap_us     INTEGER NOT NULL DEFAULT 0 CHECK (longest_gap_us >= 0),  -- likewise for its ended gaps
  pre_event_s        INTEGER NOT NULL DEFAULT 5 CHECK (pre_event_s BETWEEN 0 AND 300),   -- mode events: kept before an event
  post_event_s       INTEGER NOT NULL DEFAULT 5 CHECK (post_event_s BETWEEN 0 AND 300),  -- and after it
  live_url           TEXT NOT NULL DEFAULT '',                        -- its smaller stream, for live pictures; without user and password; '' = none
  CHECK (is_removed = 1 OR group_id IS NOT NULL)
) STRICT;

-- Two cameras in use never share a name, not even in another case; a removed one does not block its name.
CREATE UNIQUE INDEX camera_by_name ON camera (name) WHERE is_removed = 0;


-- Passwords, apart from everything that is listed, logged or copied to volumes. The file's mode is 0600.
CREATE TABLE camera_password (
  camera_id INTEGER PRIMARY KEY REFERENCES camera (id) ON DELETE CASCADE,
  password  TEXT NOT NULL CHECK (length(password) > 0)  -- absent row: no password
) STRICT;


-- A place for segments. A removed volume keeps its row while the catalog knows footage on it, so that
-- registering the same volume again (by its identity file) brings the footage back.
CREATE TABLE volume (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid         BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),       -- as in <root>/.watchdeck/volume.json
  name         TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
  path         TEXT NOT NULL CHECK (path GLOB '/*'),                 -- where it is mounted
  group_id     INTEGER REFERENCES recording_group (id),              -- NULL only once removed
  floor_bytes  INTEGER NOT NULL CHECK (floor_bytes >= 0),            -- free space that recording leaves alone
  is_removed   INTEGER NOT NULL DEFAULT 0 CHECK (is_removed IN (0, 1)),
  used_bytes   INTEGER NOT NULL DEFAULT 0 CHECK (used_bytes >= 0),
  -- ^ exact sum of segment.bytes of this volume's open and closed segments; kept by triggers, never by code
  locked_bytes INTEGER NOT NULL DEFAULT 0 CHECK (locked_bytes BETWEEN 0 AND used_bytes),
  -- ^ the part of used_bytes that is closed and under at least one lock; kept by triggers
  CHECK (is_removed = 1 OR group_id IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX volume_by_name ON volume (name) WHERE is_removed = 0;
CREATE UNIQUE INDEX volume_by_path ON volume (path) WHERE is_removed = 0;


-- One unbroken session of a camera with one set of tracks. Wall time is taken once, at its start.
-- Goes when its last segment is forgotten.
CREATE TABLE run (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid       BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
  camera_id  INTEGER NOT NULL REFERENCES camera (id),
  start_us   INTEGER NOT NULL CHECK (start_us > 0),
  end_us     INTEGER CHECK (end_us >= start_us),                   -- NULL: still going on, or it crashed
  end_reason TEXT CHECK ((end_reason IS NULL) = (end_us IS NULL)), -- plain words: why it ended
  tracks     TEXT NOT NULL CHECK (json_valid(tracks))              -- packet.Track list as JSON
) STRICT;

CREATE INDEX run_by_camera ON run (camera_id, start_us);
CREATE INDEX run_unended ON run (id) WHERE end_us IS NULL;


-- One file of a run. Life: open (growing) -> closed -> deleting (its file is being unlinked) -> no row.
CREATE TABLE segment (
  id                   INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id            INTEGER NOT NULL,                            -- that of its run (checked there), here for the index
  run_id               INTEGER NOT NULL REFERENCES run (id),
  volume_id            INTEGER NOT NULL REFERENCES volume (id),
  sequence             INTEGER NOT NULL CHECK (sequence >= 0),      -- place in its run, from 0
  path                 TEXT NOT NULL CHECK (length(path) > 0 AND path NOT GLOB '/*'),  -- below the volume's root
  start_us             INTEGER NOT NULL CHECK (start_us > 0),       -- wall time of the first video sample
  end_us               INTEGER NOT NULL CHECK (end_us >= start_us), -- open: up to here it was on disk when last told
  media_duration_ticks INTEGER NOT NULL CHECK (media_duration_ticks >= 0),
  bytes                INTEGER NOT NULL CHECK (bytes >= 0),         -- size of the file; open: as last told
  state                INTEGER NOT NULL CHECK (state IN (0, 1, 2)), -- 0 open, 1 closed, 2 deleting
  is_recovered         INTEGER NOT NULL DEFAULT 0 CHECK (is_recovered IN (0, 1)),  -- closed after a crash
  lock_count           INTEGER NOT NULL DEFAULT 0 CHECK (lock_count >= 0)
  -- ^ closed: number of rows in footage_lock that overlap [start_us, end_us). Open: 0 (it is never recycled anyway)
) STRICT;

-- Finds the row of a change of the recorder; proves that no run has two segments with one number.
CREATE UNIQUE INDEX segment_by_run ON segment (run_id, sequence);

-- Timeline: covers the coverage query, which never reads the table (`state` is in it because SQLite 3.40 does not
-- see that the index's own condition answers the query's). Deleting segments are not footage any more.
CREATE INDEX segment_by_camera ON segment (camera_id, start_us, end_us, volume_id, state) WHERE state < 2;

-- Retention: the oldest unlocked segments of a volume stand side by side; locked ones are stepped over, not read.
CREATE INDEX segment_by_age ON segment (volume_id, (lock_count > 0), start_us) WHERE state = 1;

-- The few that need attention at start-up: open ones are recovered, deleting ones are unlinked again.
CREATE INDEX segment_unsettled ON segment (state, id) WHERE state <> 1;


-- Where the keyframes of a closed segment are, as the recorder encoded them. Apart from `segment` so that its
-- rows stay small; the file carries the same index (mfra), so this is a cache and may be missing.
CREATE TABLE segment_keyframes (
  segment_id INTEGER PRIMARY KEY REFERENCES segment (id) ON DELETE CASCADE,
  places     BLOB NOT NULL
) STRICT;


-- Expected and not on disk, with its cause. Pruned when it is older than the oldest footage.
CREATE TABLE gap (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id INTEGER NOT NULL REFERENCES camera (id),
  start_us  INTEGER NOT NULL CHECK (start_us > 0),
  end_us    INTEGER CHECK (end_us > start_us),         -- NULL: still going on
  cause     TEXT NOT NULL CHECK (length(cause) > 0),   -- records.GapCause
  detail    TEXT NOT NULL DEFAULT ''                   -- plain words, never a password
) STRICT;

CREATE INDEX gap_by_camera ON gap (camera_id, start_us, end_us);

-- At most one gap of a camera goes on.
CREATE UNIQUE INDEX gap_going_on ON gap (camera_id) WHERE end_us IS NULL;


-- A stretch of a camera that is never recycled while this row exists (bookmark, evidence).
CREATE TABLE footage_lock (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id  INTEGER NOT NULL REFERENCES camera (id),
  start_us   INTEGER NOT NULL CHECK (start_us > 0),
  end_us     INTEGER NOT NULL CHECK (end_us > start_us),  -- may lie in the future
  reason     TEXT NOT NULL DEFAULT '',
  created_us INTEGER NOT NULL CHECK (created_us > 0),
  created_by TEXT NOT NULL DEFAULT '',
  expires_us INTEGER CHECK (expires_us > 0)               -- the protection ends here; NULL: never by itself
) STRICT;

CREATE INDEX footage_lock_by_camera ON footage_lock (camera_id, end_us, start_us);
CREATE INDEX footage_lock_by_expiry ON footage_lock (expires_us) WHERE expires_us IS NOT NULL;


-- What happened, once, in plain words. The newest are kept, up to the number and age in station.toml.
CREATE TABLE event (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,             -- order of arrival; the page key
  time_us  INTEGER NOT NULL CHECK (time_us > 0),
  kind     TEXT NOT NULL CHECK (length(kind) > 0),        -- dotted: camera.lost, volume.full ...
  severity INTEGER NOT NULL CHECK (severity IN (0, 1, 2)),  -- 0 info, 1 warning, 2 critical
  source   TEXT NOT NULL DEFAULT '',                      -- name of the camera, volume, group; '' the station
  text     TEXT NOT NULL,
  actor    TEXT NOT NULL DEFAULT '',                      -- who asked for it; '' the engine itself
  count    INTEGER NOT NULL DEFAULT 1 CHECK (count >= 1)  -- events this row stands for: a flood is counted
) STRICT;

CREATE INDEX event_by_time ON event (time_us);
CREATE INDEX event_by_kind ON event (kind, id);
CREATE INDEX event_by_source ON event (source, id);
CREATE INDEX event_by_severity ON event (severity, id) WHERE severity > 0;
CREATE INDEX event_by_actor ON event (actor, id) WHERE actor <> '';

-- Forgetting: each severity has a time of its own.
CREATE INDEX event_by_age ON event (severity, time_us);


-- Running sums. Written as triggers so that they hold whoever changes a segment; a property test recounts them.

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

-- Physical drives, known for ever by their identity; see storage/raid/inventory.py.
CREATE TABLE drive (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  identity      TEXT NOT NULL UNIQUE CHECK (length(identity) > 0),  -- Drive.id: WWN, else model and serial; never a kernel name
  model         TEXT NOT NULL DEFAULT '',
  serial        TEXT NOT NULL DEFAULT '',                           -- as on its label
  wwn           TEXT NOT NULL DEFAULT '',
  size_bytes    INTEGER NOT NULL DEFAULT 0 CHECK (size_bytes >= 0),
  bay           INTEGER CHECK (bay >= 0),                           -- where it was seen last; NULL = no bay or not mapped
  place         TEXT NOT NULL DEFAULT '',                           -- the socket it was seen in last
  membership    TEXT NOT NULL DEFAULT '',                           -- id of the drive group it was last a member of
  first_seen_us INTEGER NOT NULL CHECK (first_seen_us > 0),
  last_seen_us  INTEGER NOT NULL CHECK (last_seen_us >= first_seen_us),
  report        TEXT CHECK (report IS NULL OR json_valid(report)),  -- newest SmartReport
  health        TEXT CHECK (health IS NULL OR json_valid(health))   -- newest DriveHealth, and what it was judged against
) STRICT;

CREATE INDEX drive_by_serial ON drive (serial);

-- A drive's history, a row a sweep; thinned with age. NULL = the drive does not say.
CREATE TABLE drive_sample (
  drive_id         INTEGER NOT NULL REFERENCES drive (id) ON DELETE CASCADE,
  time_us          INTEGER NOT NULL CHECK (time_us > 0),
  temperature_c    INTEGER,
  hours            INTEGER,                                         -- powered on
  reallocated      INTEGER,
  pending          INTEGER,
  uncorrectable    INTEGER,
  interface_errors INTEGER,
  media_errors     INTEGER,
  wear_percent     INTEGER,
  verdict          TEXT NOT NULL CHECK (verdict IN ('good', 'warning', 'failing', 'unknown')),
  PRIMARY KEY (drive_id, time_us)
) STRICT, WITHOUT ROWID;

-- What the operator set for the chassis: upkeep schedule, UID; and what the engine has to remember (last patrol read).
CREATE TABLE chassis_setting (
  key   TEXT PRIMARY KEY CHECK (length(key) > 0),
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;

-- Jobs of several steps that survive consoles and restarts: set-up, replacement, take-down.
CREATE TABLE chassis_job (
  uuid       BLOB PRIMARY KEY CHECK (length(uuid) = 16),
  kind       TEXT NOT NULL CHECK (kind IN ('set_up', 'replace', 'take_down')),
  state      TEXT NOT NULL CHECK (state IN ('running', 'waiting', 'done', 'failed', 'cancelled')),
  body       TEXT NOT NULL CHECK (json_valid(body)),                -- the job's own form, engine/chassis
  actor      TEXT NOT NULL DEFAULT '',
  started_us INTEGER NOT NULL CHECK (started_us > 0),
  ended_us   INTEGER CHECK (ended_us >= started_us)
) STRICT, WITHOUT ROWID;

CREATE INDEX chassis_job_open ON chassis_job (started_us) WHERE ended_us IS NULL;


-- Words of events, for searching: any three characters in a row, whatever the case. Holds no text itself; kept by triggers.
CREATE VIRTUAL TABLE event_words USING fts5 (
  text, source, content = 'event', content_rowid = 'id', columnsize = 0, tokenize = 'trigram'
);

CREATE TRIGGER event_words_added AFTER INSERT ON event BEGIN
  INSERT INTO event_words (rowid, text, source) VALUES (new.id, new.text, new.source);
END;

CREATE TRIGGER event_words_gone AFTER DELETE ON event BEGIN
  INSERT INTO event_words (event_words, rowid, text, source) VALUES ('delete', old.id, old.text, old.source);
END;

CREATE TRIGGER event_words_changed AFTER UPDATE OF id, text, source ON event BEGIN
  INSERT INTO event_words (event_words, rowid, text, source) VALUES ('delete', old.id, old.text, old.source);
  INSERT INTO event_words (rowid, text, source) VALUES (new.id, new.text, new.source);
END;


-- A rule that raises alarms. Its id is never used again, so that alarms may name a rule that is gone.
CREATE TABLE alarm_rule (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  name           TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
  body           TEXT NOT NULL CHECK (json_valid(body)),              -- triggers, schedule, actions; the engine's own form, without secrets
  is_enabled     INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
  created_us     INTEGER NOT NULL CHECK (created_us > 0),
  created_by     TEXT NOT NULL DEFAULT '',
  raised         INTEGER NOT NULL DEFAULT 0 CHECK (raised >= 0),      -- rows of `alarm` that name it; kept by triggers
  last_raised_us INTEGER CHECK (last_raised_us > 0)                   -- first event of the alarm raised last, kept by trigger; NULL: never
) STRICT;


-- One time a rule was met. Lives until its last event is older than the preservation time, whatever its status.
CREATE TABLE alarm (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,                   -- order of raising
  rule_id        INTEGER CHECK (rule_id > 0),                         -- alarm_rule.id, which may be gone; NULL: no rule
  rule           TEXT NOT NULL CHECK (length(rule) > 0),              -- the rule's name when it was raised
  kind           TEXT NOT NULL CHECK (length(kind) > 0),              -- of its events: event.kind
  source         TEXT NOT NULL DEFAULT '',                            -- of its events: event.source
  camera         TEXT NOT NULL DEFAULT '',                            -- name of the camera to look at; '' none
  severity       INTEGER NOT NULL CHECK (severity IN (0, 1, 2)),      -- as event.severity
  status         INTEGER NOT NULL DEFAULT 0 CHECK (status IN (0, 1, 2, 3)),
  -- ^ 0 new, 1 in progress, 2 false alarm, 3 closed; below 2 is open: in the list
  first_us       INTEGER NOT NULL CHECK (first_us > 0),               -- its first event
  last_us        INTEGER NOT NULL CHECK (last_us >= first_us),        -- its last event so far
  count          INTEGER NOT NULL CHECK (count >= 1),                 -- events in it
  text           TEXT NOT NULL,                                       -- of the newest event
  comment        TEXT NOT NULL DEFAULT '',                            -- the newest
  handler        TEXT NOT NULL DEFAULT '',                            -- who took the last step that was not undone
  step_id        INTEGER REFERENCES alarm_step (id),                  -- that step; NULL: none
  muted_until_us INTEGER CHECK (muted_until_us > 0),                  -- not in the list until then; NULL or past: in it
  sound          INTEGER NOT NULL DEFAULT 0 CHECK (sound BETWEEN 0 AND 5),  -- pattern to ring; 0 none
  is_live        INTEGER NOT NULL DEFAULT 0 CHECK (is_live IN (0, 1)),
  is_test        INTEGER NOT NULL DEFAULT 0 CHECK (is_test IN (0, 1))
) STRICT;

-- The list, its filters and its places, without reading the table; the same for the whole history.
CREATE INDEX alarm_open ON alarm (last_us, id, status, muted_until_us, severity, is_live, kind, source, rule) WHERE status < 2;
CREATE INDEX alarm_history ON alarm (last_us, id, status, muted_until_us, severity, is_live, kind, source, rule);

-- Groups: open alarms of one source and kind stand side by side; for the list of a few sources, too.
CREATE INDEX alarm_open_group
  ON alarm (source, kind, last_us, id, first_us, count, status, muted_until_us, severity, is_live, rule) WHERE status < 2;

-- The first event of a group.
CREATE INDEX alarm_open_first ON alarm (source, kind, first_us, muted_until_us) WHERE status < 2;

-- Finds the alarm an event may join: the newest of its rule, kind and source.
CREATE INDEX alarm_to_join ON alarm (rule_id, kind, source, id) WHERE is_test = 0;

-- The few that are or were muted, for counting.
CREATE INDEX alarm_muted ON alarm (muted_until_us, status, severity) WHERE muted_until_us IS NOT NULL AND status < 2;

-- For the foreign key: steps go when no alarm is left that they changed.
CREATE INDEX alarm_by_step ON alarm (step_id) WHERE step_id IS NOT NULL;


-- Words of alarms, as event_words.
CREATE VIRTUAL TABLE alarm_words USING fts5 (
  text, source, rule, comment, content = 'alarm', content_rowid = 'id', columnsize = 0, tokenize = 'trigram'
);

CREATE TRIGGER alarm_words_added AFTER INSERT ON alarm BEGIN
  INSERT INTO alarm_words (rowid, text, source, rule, comment)
  VALUES (new.id, new.text, new.source, new.rule, new.comment);
END;

CREATE TRIGGER alarm_words_gone AFTER DELETE ON alarm BEGIN
  INSERT INTO alarm_words (alarm_words, rowid, text, source, rule, comment)
  VALUES ('delete', old.id, old.text, old.source, old.rule, old.comment);
END;

CREATE TRIGGER alarm_words_changed AFTER UPDATE OF id, text, source, rule, comment ON alarm
WHEN (old.id, old.text, old.source, old.rule, old.comment) IS NOT (new.id, new.text, new.source, new.rule, new.comment)
BEGIN
  INSERT INTO alarm_words (alarm_words, rowid, text, source, rule, comment)
  VALUES ('delete', old.id, old.text, old.source, old.rule, old.comment);
  INSERT INTO alarm_words (rowid, text, source, rule, comment)
  VALUES (new.id, new.text, new.source, new.rule, new.comment);
END;


-- Exactly one row: how many alarms are open, muted or not. Kept by triggers, so that no count reads a million alarms.
CREATE TABLE alarm_tally (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  fresh        INTEGER NOT NULL CHECK (fresh >= 0),                   -- of status new
  in_progress  INTEGER NOT NULL CHECK (in_progress >= 0),
  critical     INTEGER NOT NULL CHECK (critical BETWEEN 0 AND fresh), -- of those of status new
  revision     INTEGER NOT NULL CHECK (revision >= 0)                 -- grows with every change of any alarm
) STRICT;

INSERT INTO alarm_tally VALUES (1, 0, 0, 0, 0);

CREATE TRIGGER alarm_raised AFTER INSERT ON alarm BEGIN
  UPDATE alarm_tally
     SET fresh = fresh + (new.status = 0),
         in_progress = in_progress + (new.status = 1),
         critical = critical + (new.status = 0 AND new.severity = 2),
         revision = revision + 1;
  UPDATE alarm_rule
     SET raised = raised + 1, last_raised_us = max(coalesce(last_raised_us, 0), new.first_us)
   WHERE id = new.rule_id;
END;

CREATE TRIGGER alarm_changed AFTER UPDATE ON alarm BEGIN
  UPDATE alarm_tally
     SET fresh = fresh + (new.status = 0) - (old.status = 0),
         in_progress = in_progress + (new.status = 1) - (old.status = 1),
         critical = critical + (new.status = 0 AND new.severity = 2) - (old.status = 0 AND old.severity = 2),
         revision = revision + 1;
END;

CREATE TRIGGER alarm_gone AFTER DELETE ON alarm BEGIN
  UPDATE alarm_tally
     SET fresh = fresh - (old.status = 0),
         in_progress = in_progress - (old.status = 1),
         critical = critical - (old.status = 0 AND old.severity = 2),
         revision = revision + 1;
  UPDATE alarm_rule SET raised = raised - 1 WHERE id = old.rule_id;
END;


-- How many alarms of a kind and source are open, muted or not. Kept by triggers; no row where none is.
CREATE TABLE alarm_group (
  source  TEXT NOT NULL,                                              -- alarm.source
  kind    TEXT NOT NULL,                                              -- alarm.kind
  members INTEGER NOT NULL CHECK (members >= 0),                      -- open alarms
  events  INTEGER NOT NULL CHECK (events >= members),                 -- sum of their counts
  PRIMARY KEY (source, kind)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER alarm_grouped AFTER INSERT ON alarm WHEN new.status < 2 BEGIN
  INSERT INTO alarm_group VALUES (new.source, new.kind, 1, new.count)
      ON CONFLICT (source, kind) DO UPDATE SET members = members + 1, events = events + excluded.events;
END;

CREATE TRIGGER alarm_group_counted AFTER UPDATE OF count ON alarm
WHEN old.count <> new.count AND old.status < 2 AND new.status < 2 AND (old.kind, old.source) = (new.kind, new.source)
BEGIN
  UPDATE alarm_group SET events = events + new.count - old.count WHERE source = new.source AND kind = new.kind;
END;

CREATE TRIGGER alarm_regrouped AFTER UPDATE OF kind, source, status ON alarm
WHEN (old.status < 2, old.kind, old.source) <> (new.status < 2, new.kind, new.source)
BEGIN
  UPDATE alarm_group SET members = members - 1, events = events - old.count
   WHERE old.status < 2 AND source = old.source AND kind = old.kind;
  INSERT INTO alarm_group SELECT new.source, new.kind, 1, new.count WHERE new.status < 2
      ON CONFLICT (source, kind) DO UPDATE SET members = members + 1, events = events + excluded.events;
  DELETE FROM alarm_group WHERE source = old.source AND kind = old.kind AND members = 0;
END;

CREATE TRIGGER alarm_ungrouped AFTER DELETE ON alarm WHEN old.status < 2 BEGIN
  UPDATE alarm_group SET members = members - 1, events = events - old.count WHERE source = old.source AND kind = old.kind;
  DELETE FROM alarm_group WHERE source = old.source AND kind = old.kind AND members = 0;
END;


-- A step of triage: what somebody did, at once, to one alarm or ten thousand. Never edited; goes with the last alarm it changed.
CREATE TABLE alarm_step (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  time_us        INTEGER NOT NULL CHECK (time_us > 0),
  actor          TEXT NOT NULL CHECK (length(actor) > 0),
  what           TEXT NOT NULL CHECK (what IN ('status', 'mute', 'comment', 'undo')),  -- the gravest of what it did
  comment        TEXT,                                                -- written by it; NULL: it wrote none
  undoes         INTEGER CHECK ((undoes IS NOT NULL) = (what = 'undo')),  -- the step it took back, which may be gone
  is_undone      INTEGER NOT NULL DEFAULT 0 CHECK (is_undone IN (0, 1))   -- taken back, at least on some of its alarms
) STRICT;

-- What `undo` looks for.
CREATE INDEX alarm_step_by_actor ON alarm_step (actor, id) WHERE is_undone = 0 AND what <> 'undo';

-- Each alarm that a step changed: exactly what it was before, and what came of it.
CREATE TABLE alarm_step_alarm (
  alarm_id           INTEGER NOT NULL REFERENCES alarm (id) ON DELETE CASCADE,
  step_id            INTEGER NOT NULL REFERENCES alarm_step (id),
  old_status         INTEGER NOT NULL CHECK (old_status IN (0, 1, 2, 3)),
  old_muted_until_us INTEGER,
  old_comment        TEXT NOT NULL,
  old_handler        TEXT NOT NULL,
  old_step_id        INTEGER,                                         -- alarm.step_id before
  new_status         INTEGER NOT NULL CHECK (new_status IN (0, 1, 2, 3)),
  new_muted_until_us INTEGER,
  is_undone          INTEGER NOT NULL DEFAULT 0 CHECK (is_undone IN (0, 1)),  -- taken back on this alarm
  PRIMARY KEY (alarm_id, step_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX alarm_step_alarm_by_step ON alarm_step_alarm (step_id, alarm_id);

CREATE TRIGGER alarm_step_not_replaced BEFORE INSERT ON alarm_step
WHEN EXISTS (SELECT 1 FROM alarm_step WHERE id = new.id)
BEGIN SELECT raise(ABORT, 'the history of alarms is not edited'); END;

CREATE TRIGGER alarm_step_not_edited BEFORE UPDATE ON alarm_step
WHEN new.is_undone < old.is_undone
  OR (new.id, new.time_us, new.actor, new.what, new.comment, new.undoes)
     IS NOT (old.id, old.time_us, old.actor, old.what, old.comment, old.undoes)
BEGIN SELECT raise(ABORT, 'the history of alarms is not edited'); END;

CREATE TRIGGER alarm_step_not_removed BEFORE DELETE ON alarm_step
WHEN EXISTS (SELECT 1 FROM alarm_step_alarm WHERE step_id = old.id)
BEGIN SELECT raise(ABORT, 'the history of alarms is not removed'); END;

CREATE TRIGGER alarm_step_alarm_not_replaced BEFORE INSERT ON alarm_step_alarm
WHEN EXISTS (SELECT 1 FROM alarm_step_alarm WHERE alarm_id = new.alarm_id AND step_id = new.step_id)
BEGIN SELECT raise(ABORT, 'the history of alarms is not edited'); END;

CREATE TRIGGER alarm_step_alarm_not_edited BEFORE UPDATE ON alarm_step_alarm
WHEN new.is_undone < old.is_undone
  OR (new.alarm_id, new.step_id, new.old_status, new.old_muted_until_us, new.old_comment, new.old_handler,
      new.old_step_id, new.new_status, new.new_muted_until_us)
     IS NOT (old.alarm_id, old.step_id, old.old_status, old.old_muted_until_us, old.old_comment, old.old_handler,
      old.old_step_id, old.new_status, old.new_muted_until_us)
BEGIN SELECT raise(ABORT, 'the history of alarms is not edited'); END;

CREATE TRIGGER alarm_step_alarm_not_removed BEFORE DELETE ON alarm_step_alarm
WHEN EXISTS (SELECT 1 FROM alarm WHERE id = old.alarm_id)
BEGIN SELECT raise(ABORT, 'the history of alarms is not removed'); END;


-- What came of an alarm's actions. Goes with the alarm.
CREATE TABLE alarm_result (
  alarm_id INTEGER NOT NULL REFERENCES alarm (id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),                    -- of the action in its rule
  action   TEXT NOT NULL CHECK (length(action) > 0),                  -- in words, without secrets
  state    TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'skipped')),
  tries    INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  text     TEXT NOT NULL DEFAULT '',                                  -- answer or error
  time_us  INTEGER NOT NULL DEFAULT 0 CHECK (time_us >= 0),           -- of the last try; 0 none yet
  PRIMARY KEY (alarm_id, position)
) STRICT, WITHOUT ROWID;

-- Those that a stop of the engine cut off.
CREATE INDEX alarm_result_unended ON alarm_result (alarm_id) WHERE state IN ('waiting', 'running');


-- Weeks with a name, for alarms and recording alike.
CREATE TABLE schedule_template (
  name     TEXT NOT NULL COLLATE NOCASE PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
  schedule TEXT NOT NULL CHECK (json_valid(schedule))                 -- as camera.schedule
) STRICT, WITHOUT ROWID;


-- Passwords, tokens and addresses that hold them, apart from everything that is listed; as camera_password.
CREATE TABLE secret (
  key   TEXT NOT NULL PRIMARY KEY CHECK (length(key) > 0),            -- whose it is: mail/password ...
  value TEXT NOT NULL CHECK (length(value) > 0)                       -- absent row: none
) STRICT, WITHOUT ROWID;


-- What the operator set for the station as a whole, without secrets: mail, listen, preservation.
CREATE TABLE station_setting (
  key   TEXT NOT NULL PRIMARY KEY CHECK (length(key) > 0),
  value TEXT NOT NULL CHECK (json_valid(value))                       -- the engine's own form
) STRICT, WITHOUT ROWID;


-- What is done with a camera's own events and with its pictures.
CREATE TABLE camera_analytics (
  camera_id INTEGER PRIMARY KEY REFERENCES camera (id) ON DELETE CASCADE,
  settings  TEXT NOT NULL CHECK (json_valid(settings))                -- the engine's own form; absent row: nothing
) STRICT;


-- What people and programs did through console, command or API. Ids have no holes; no row is ever edited; only the old end goes.
CREATE TABLE operation (
  id         INTEGER PRIMARY KEY CHECK (id > 0),
  time_us    INTEGER NOT NULL CHECK (time_us > 0),
  actor      TEXT NOT NULL CHECK (length(actor) > 0),
  type       TEXT NOT NULL CHECK (length(type) > 0),                  -- what was called: camera.edit ...
  source     TEXT NOT NULL DEFAULT '',                                -- what it was done to
  text       TEXT NOT NULL,                                           -- in words, without secrets
  severity   INTEGER NOT NULL CHECK (severity IN (0, 1, 2)),          -- 0 minor, 1 normal, 2 major
  is_success INTEGER NOT NULL CHECK (is_success IN (0, 1)),
  digest     BLOB NOT NULL CHECK (length(digest) = 32)                -- SHA-256 of the digest before and this row
) STRICT;

CREATE INDEX operation_by_type ON operation (type, id);

-- Exactly one row: where the chain begins and ends.
CREATE TABLE operation_chain (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  first_id     INTEGER NOT NULL CHECK (first_id > 0),                 -- all before it were removed because of their age
  first_digest BLOB NOT NULL CHECK (length(first_digest) = 32),       -- of the last one removed; zeros: none
  last_id      INTEGER NOT NULL CHECK (last_id >= first_id - 1)       -- the newest ever written; kept by trigger
) STRICT;

INSERT INTO operation_chain VALUES (1, 1, zeroblob(32), 0);

CREATE TRIGGER operation_in_order BEFORE INSERT ON operation
WHEN new.id IS NOT (SELECT last_id + 1 FROM operation_chain)
BEGIN SELECT raise(ABORT, 'the log is only appended to'); END;

CREATE TRIGGER operation_added AFTER INSERT ON operation BEGIN
  UPDATE operation_chain SET last_id = new.id;
END;

CREATE TRIGGER operation_not_edited BEFORE UPDATE ON operation
BEGIN SELECT raise(ABORT, 'the log is not edited'); END;

CREATE TRIGGER operation_not_removed BEFORE DELETE ON operation
WHEN old.id >= (SELECT first_id FROM operation_chain)
BEGIN SELECT raise(ABORT, 'only the old end of the log is removed'); END;

CREATE TRIGGER operation_chain_only_grows BEFORE UPDATE ON operation_chain
WHEN new.first_id < old.first_id OR new.last_id < old.last_id
  OR new.last_id <> (SELECT coalesce(max(id), old.last_id) FROM operation)
  OR (new.first_id <> old.first_id OR new.first_digest <> old.first_digest)
     AND new.first_digest IS NOT (SELECT digest FROM operation WHERE id = new.first_id - 1)
BEGIN SELECT raise(ABORT, 'the log is not edited'); END;

CREATE TRIGGER operation_chain_stays BEFORE DELETE ON operation_chain
BEGIN SELECT raise(ABORT, 'the log is not edited'); END;

CREATE TRIGGER operation_chain_is_one BEFORE INSERT ON operation_chain
WHEN EXISTS (SELECT 1 FROM operation_chain)
BEGIN SELECT raise(ABORT, 'the log is not edited'); END;


-- A moment somebody, or an alarm rule, wanted kept. The row stays when its protection ended or its video is gone: "Invalid" (BM-05).
CREATE TABLE bookmark (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id  INTEGER NOT NULL REFERENCES camera (id),
  start_us   INTEGER NOT NULL CHECK (start_us > 0),
  end_us     INTEGER NOT NULL CHECK (end_us > start_us),
  name       TEXT NOT NULL DEFAULT '' CHECK (length(name) <= 200),
  note       TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 4000),
  created_us INTEGER NOT NULL CHECK (created_us > 0),
  created_by TEXT NOT NULL DEFAULT '',
  lock_id    INTEGER REFERENCES footage_lock (id) ON DELETE SET NULL       -- what protects it; NULL: no longer
) STRICT;

CREATE INDEX bookmark_by_camera ON bookmark (camera_id, start_us, end_us);
CREATE INDEX bookmark_by_start ON bookmark (start_us, id);
CREATE INDEX bookmark_by_lock ON bookmark (lock_id) WHERE lock_id IS NOT NULL;

-- A collection of stretches to be handed over together.
CREATE TABLE evidence_case (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
  comment    TEXT NOT NULL DEFAULT '' CHECK (length(comment) <= 4000),
  created_us INTEGER NOT NULL CHECK (created_us > 0),
  created_by TEXT NOT NULL DEFAULT ''
) STRICT;

-- One of its stretches; locked while it is in the case.
CREATE TABLE case_item (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id   INTEGER NOT NULL REFERENCES evidence_case (id) ON DELETE CASCADE,
  place     INTEGER NOT NULL CHECK (place >= 0),                         -- order within the case
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

-- Layouts, views and tours that everybody sees. The body is the engine's form; cameras are in it by UUID.
CREATE TABLE arrangement (
  kind       TEXT NOT NULL CHECK (kind IN ('layout', 'view', 'tour')),
  name       TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
  body       TEXT NOT NULL CHECK (json_valid(body)),
  changed_us INTEGER NOT NULL CHECK (changed_us > 0),
  changed_by TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- What moved, look by look, in the order of time: some minutes of a camera a row. Goes with the footage.
CREATE TABLE motion_block (
  camera_id INTEGER NOT NULL REFERENCES camera (id) ON DELETE CASCADE,
  start_us  INTEGER NOT NULL CHECK (start_us > 0),                       -- of the first look
  end_us    INTEGER NOT NULL CHECK (end_us >= start_us),                 -- of the last look
  moved     INTEGER NOT NULL CHECK (moved >= 0),                         -- looks in which anything moved
  looks     BLOB NOT NULL                                                -- storage/catalog/motion_looks.py
) STRICT;

CREATE UNIQUE INDEX motion_block_by_camera ON motion_block (camera_id, start_us);

-- Exports made by the engine; survive consoles and restarts. Never a password.
CREATE TABLE export_job (
  uuid       BLOB PRIMARY KEY CHECK (length(uuid) = 16),
  state      TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
  body       TEXT NOT NULL CHECK (json_valid(body)),                      -- what was asked for and what came of it
  created_us INTEGER NOT NULL CHECK (created_us > 0),
  created_by TEXT NOT NULL DEFAULT '',
  ended_us   INTEGER CHECK (ended_us >= created_us)
) STRICT, WITHOUT ROWID;

CREATE INDEX export_job_by_age ON export_job (created_us);
