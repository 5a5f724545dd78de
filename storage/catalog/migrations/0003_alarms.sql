-- Alarms with their history, rules and settings, the log of operations, events that stand for many. Frozen: a change is a new file.

-- SQLite changes no CHECK. Its manual's own way for what does not touch rows (lang_altertable, 7): edit the text, read the schema again.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
   SET sql = replace(sql, '(''continuous'', ''schedule'', ''off'')', '(''continuous'', ''schedule'', ''events'', ''off'')')
 WHERE type = 'table' AND name = 'camera';
PRAGMA writable_schema = RESET;
ALTER TABLE camera ADD COLUMN pre_event_s INTEGER NOT NULL DEFAULT 5 CHECK (pre_event_s BETWEEN 0 AND 300);
ALTER TABLE camera ADD COLUMN post_event_s INTEGER NOT NULL DEFAULT 5 CHECK (post_event_s BETWEEN 0 AND 300);

ALTER TABLE event ADD COLUMN count INTEGER NOT NULL DEFAULT 1 CHECK (count >= 1);
CREATE INDEX event_by_actor ON event (actor, id) WHERE actor <> '';
CREATE INDEX event_by_age ON event (severity, time_us);

CREATE VIRTUAL TABLE event_words USING fts5 (
  text, source, content = 'event', content_rowid = 'id', columnsize = 0, tokenize = 'trigram'
);
INSERT INTO event_words (event_words) VALUES ('rebuild');

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

CREATE TABLE alarm_rule (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  name           TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
  body           TEXT NOT NULL CHECK (json_valid(body)),
  is_enabled     INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
  created_us     INTEGER NOT NULL CHECK (created_us > 0),
  created_by     TEXT NOT NULL DEFAULT '',
  raised         INTEGER NOT NULL DEFAULT 0 CHECK (raised >= 0),
  last_raised_us INTEGER CHECK (last_raised_us > 0)
) STRICT;

CREATE TABLE alarm (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  rule_id        INTEGER CHECK (rule_id > 0),
  rule           TEXT NOT NULL CHECK (length(rule) > 0),
  kind           TEXT NOT NULL CHECK (length(kind) > 0),
  source         TEXT NOT NULL DEFAULT '',
  camera         TEXT NOT NULL DEFAULT '',
  severity       INTEGER NOT NULL CHECK (severity IN (0, 1, 2)),
  status         INTEGER NOT NULL DEFAULT 0 CHECK (status IN (0, 1, 2, 3)),
  first_us       INTEGER NOT NULL CHECK (first_us > 0),
  last_us        INTEGER NOT NULL CHECK (last_us >= first_us),
  count          INTEGER NOT NULL CHECK (count >= 1),
  text           TEXT NOT NULL,
  comment        TEXT NOT NULL DEFAULT '',
  handler        TEXT NOT NULL DEFAULT '',
  step_id        INTEGER REFERENCES alarm_step (id),
  muted_until_us INTEGER CHECK (muted_until_us > 0),
  sound          INTEGER NOT NULL DEFAULT 0 CHECK (sound BETWEEN 0 AND 5),
  is_live        INTEGER NOT NULL DEFAULT 0 CHECK (is_live IN (0, 1)),
  is_test        INTEGER NOT NULL DEFAULT 0 CHECK (is_test IN (0, 1))
) STRICT;

CREATE INDEX alarm_open ON alarm (last_us, id, status, muted_until_us, severity, is_live, kind, source, rule) WHERE status < 2;
CREATE INDEX alarm_history ON alarm (last_us, id, status, muted_until_us, severity, is_live, kind, source, rule);

CREATE INDEX alarm_open_group
  ON alarm (source, kind, last_us, id, first_us, count, status, muted_until_us, severity, is_live, rule) WHERE status < 2;

CREATE INDEX alarm_open_first ON alarm (source, kind, first_us, muted_until_us) WHERE status < 2;

CREATE INDEX alarm_to_join ON alarm (rule_id, kind, source, id) WHERE is_test = 0;

CREATE INDEX alarm_muted ON alarm (muted_until_us, status, severity) WHERE muted_until_us IS NOT NULL AND status < 2;

CREATE INDEX alarm_by_step ON alarm (step_id) WHERE step_id IS NOT NULL;

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

CREATE TABLE alarm_tally (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  fresh        INTEGER NOT NULL CHECK (fresh >= 0),
  in_progress  INTEGER NOT NULL CHECK (in_progress >= 0),
  critical     INTEGER NOT NULL CHECK (critical BETWEEN 0 AND fresh),
  revision     INTEGER NOT NULL CHECK (revision >= 0)
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

CREATE TABLE alarm_group (
  source  TEXT NOT NULL,
  kind    TEXT NOT NULL,
  members INTEGER NOT NULL CHECK (members >= 0),
  events  INTEGER NOT NULL CHECK (events >= members),
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

CREATE TABLE alarm_step (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  time_us        INTEGER NOT NULL CHECK (time_us > 0),
  actor          TEXT NOT NULL CHECK (length(actor) > 0),
  what           TEXT NOT NULL CHECK (what IN ('status', 'mute', 'comment', 'undo')),
  comment        TEXT,
  undoes         INTEGER CHECK ((undoes IS NOT NULL) = (what = 'undo')),
  is_undone      INTEGER NOT NULL DEFAULT 0 CHECK (is_undone IN (0, 1))
) STRICT;

CREATE INDEX alarm_step_by_actor ON alarm_step (actor, id) WHERE is_undone = 0 AND what <> 'undo';

CREATE TABLE alarm_step_alarm (
  alarm_id           INTEGER NOT NULL REFERENCES alarm (id) ON DELETE CASCADE,
  step_id            INTEGER NOT NULL REFERENCES alarm_step (id),
  old_status         INTEGER NOT NULL CHECK (old_status IN (0, 1, 2, 3)),
  old_muted_until_us INTEGER,
  old_comment        TEXT NOT NULL,
  old_handler        TEXT NOT NULL,
  old_step_id        INTEGER,
  new_status         INTEGER NOT NULL CHECK (new_status IN (0, 1, 2, 3)),
  new_muted_until_us INTEGER,
  is_undone          INTEGER NOT NULL DEFAULT 0 CHECK (is_undone IN (0, 1)),
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

CREATE TABLE alarm_result (
  alarm_id INTEGER NOT NULL REFERENCES alarm (id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  action   TEXT NOT NULL CHECK (length(action) > 0),
  state    TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'skipped')),
  tries    INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  text     TEXT NOT NULL DEFAULT '',
  time_us  INTEGER NOT NULL DEFAULT 0 CHECK (time_us >= 0),
  PRIMARY KEY (alarm_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX alarm_result_unended ON alarm_result (alarm_id) WHERE state IN ('waiting', 'running');

CREATE TABLE schedule_template (
  name     TEXT NOT NULL COLLATE NOCASE PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
  schedule TEXT NOT NULL CHECK (json_valid(schedule))
) STRICT, WITHOUT ROWID;

CREATE TABLE secret (
  key   TEXT NOT NULL PRIMARY KEY CHECK (length(key) > 0),
  value TEXT NOT NULL CHECK (length(value) > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE station_setting (
  key   TEXT NOT NULL PRIMARY KEY CHECK (length(key) > 0),
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;

CREATE TABLE camera_analytics (
  camera_id INTEGER PRIMARY KEY REFERENCES camera (id) ON DELETE CASCADE,
  settings  TEXT NOT NULL CHECK (json_valid(settings))
) STRICT;

CREATE TABLE operation (
  id         INTEGER PRIMARY KEY CHECK (id > 0),
  time_us    INTEGER NOT NULL CHECK (time_us > 0),
  actor      TEXT NOT NULL CHECK (length(actor) > 0),
  type       TEXT NOT NULL CHECK (length(type) > 0),
  source     TEXT NOT NULL DEFAULT '',
  text       TEXT NOT NULL,
  severity   INTEGER NOT NULL CHECK (severity IN (0, 1, 2)),
  is_success INTEGER NOT NULL CHECK (is_success IN (0, 1)),
  digest     BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;

CREATE INDEX operation_by_type ON operation (type, id);

CREATE TABLE operation_chain (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  first_id     INTEGER NOT NULL CHECK (first_id > 0),
  first_digest BLOB NOT NULL CHECK (length(first_digest) = 32),
  last_id      INTEGER NOT NULL CHECK (last_id >= first_id - 1)
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
